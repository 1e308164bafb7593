"""A flood of invented names: numbers by name stay useful, events keep their names, and operators are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import structlog

from projections.projector import catch_up
from projections.refused_names import names_watch
from service.archive.disk_share import DiskShare
from service.archive.names import read_refused_names
from service.archive.snapshot import Stretch
from service.errors import DiskFull
from service.questions.page_events import PAGE_LEFT, PAGE_VIEWED
from sql.database import Database
from sql.hourly import OTHER
from sql.migrate import migrate, rollback
from tests.integration.reports.test_rollups import told
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import proofs
from tests.support.reads import reads
from tests.support.schema import version

MOST = 3
pytestmark = pytest.mark.versions("newest")

# The migration that admits names.
STEP = 19
WHY = (
    "new names count as (other), because too many came in this hour or in all: action, event_type, tool_name;"
    " HOURLEDGER_NEW_NAMES_AN_HOUR bounds those of an hour"
)
ADMITTED = "select kind, name from admitted_names where position > 0 order by kind, position"
CHANGES = (
    *("update admitted_names set position = 0", "delete from admitted_names", "truncate admitted_names"),
    *("update refused_names set position = 0", "delete from refused_names", "truncate refused_names"),
)
SCOPE = b"hours=24"
TYPES = "select count(*) from admitted_names where kind = 'event_type'"
# Names of each kind that a site of one shard may have in all.
EVER = 50_000
FILL = """
insert into admitted_names (shard, kind, name, position, hour)
select 0, 'event_type', 'former ' || n, 1, timestamptz '2020-01-01 00:00Z' from generate_series(1, $1::integer) as n
"""


@pytest_asyncio.fixture
async def flooded(database: Database) -> Database:
    """Give a log with an event of known names, twenty of invented ones, and the first names again."""
    await append(database, [an_event(0)], new_names=MOST)
    flood = [an_event(n, kind=f"kind {n}", tool=f"tool {n}")._replace(action=f"action {n}") for n in range(1, 21)]
    await append(database, flood, new_names=MOST)
    await append(database, [an_event(21)], new_names=MOST)
    return database


def by_key(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["key"]: row["events"] for row in rows}


@pytest.mark.parametrize("is_folded", [False, True])
async def test_numbers_by_name_have_the_rest_and_events_have_their_names(
    flooded: Database, database_url: str, *, is_folded: bool
) -> None:
    if is_folded:
        await catch_up(flooded)
    types = {"page_viewed": 2, "kind 1": 1, "kind 2": 1, "kind 3": 1, OTHER: 17}
    tools = {"Home": 2, "tool 1": 1, "tool 2": 1, OTHER: 18}
    async with reads(flooded, database_url) as found:
        for more in (b"", b"&demo_mode=true"):  # from rollups, and from raw events
            summary = await found.summary.page(SCOPE + more)
            assert (by_key(summary["event_types"]), by_key(summary["tool_usage"])) == (types, tools)
            assert (summary["totals"]["events"], summary["totals"]["event_types"]) == (22, 5)
            trend = await found.trends.page(SCOPE + more + b"&by=event_type&interval=day")
            assert {group["key"] for group in trend["groups"]} == {*types}
        top = await found.top_keys.page(SCOPE + b"&by=action")
        assert by_key(top["rows"]) == {"action 1": 1, "action 2": 1, "action 3": 1, OTHER: 17}
        of_one = SCOPE + b"&event_type=kind%209"
        assert (await found.summary.page(of_one))["totals"]["events"] == 1
        assert by_key((await found.summary.page(of_one))["event_types"]) == {OTHER: 1}
        listed = await found.event_list.page(of_one)
        assert [event["tool_name"] for event in listed["events"]] == ["tool 9"]


async def test_operators_are_told(flooded: Database, database_url: str) -> None:
    why, metrics = await told(database_url, flooded)
    assert why == [WHY]
    name = "hourledger_names_refused_hours_total"
    kinds = ("action", "event_type", "tool_name")
    assert {each: metrics[each] for each in metrics if each.startswith(name)} == {
        f'{name}{{kind="{kind}",site="default"}}': 1 for kind in kinds
    }
    watch = names_watch(flooded)
    with structlog.testing.capture_logs() as logs:
        await watch()
        await watch()
    assert [(line["log_level"], line["kind"]) for line in logs] == [("warning", kind) for kind in kinds]


async def test_refused_names_are_nowhere_but_in_the_log(flooded: Database, admin: asyncpg.Connection) -> None:
    assert [tuple(row) for row in await admin.fetch(ADMITTED)] == [
        *(("action", f"action {n}") for n in (1, 2, 3)),
        *(("event_type", name) for name in ("page_viewed", "kind 1", "kind 2", "kind 3")),
        *(("tool_name", name) for name in ("Home", "tool 1", "tool 2")),
    ]
    assert await admin.fetchval("select count(*) from refused_names") == 3
    await catch_up(flooded)
    assert await admin.fetchval("select count(*) from hourly_counts where key = 'kind 9'") == 0
    assert await admin.fetchval("select count(*) from events where event_type = 'kind 9'") == 1


@pytest.mark.usefixtures("flooded")
async def test_what_was_decided_stays(admin: asyncpg.Connection, database_url: str) -> None:
    await admin.execute("set session_replication_role = origin")
    for statement in CHANGES:
        with pytest.raises(asyncpg.RestrictViolationError, match="does not change"):
            await admin.execute(statement)
    while await version(database_url) > STEP:
        await rollback(database_url)
    with pytest.raises(Exception, match="new names were refused"):
        await rollback(database_url, force=True)


async def test_an_import_brings_any_number_of_names(database: Database, admin: asyncpg.Connection) -> None:
    await append(database, [an_event(n, kind=f"kind {n}") for n in range(50)])
    assert await admin.fetchval("select count(*) from refused_names") == 0
    await append(database, [an_event(n, kind=f"kind {n}") for n in range(50, 60)], new_names=MOST)
    # Live events of the same hour have all of its room.
    assert await admin.fetchval(TYPES) == 50 + MOST
    # Another import brings names while live ones are refused.
    await append(database, [an_event(n, kind=f"kind {n}") for n in range(60, 70)])
    assert await admin.fetchval(TYPES) == 50 + MOST + 10


async def test_a_shard_admits_a_bounded_number_of_names_in_all(database: Database, admin: asyncpg.Connection) -> None:
    await admin.execute(FILL, EVER - 1)
    later = NOW + HOUR
    for clock, first in ((NOW, 0), (later, 10)):
        flood = [an_event(n, kind=f"kind {n}", tool=None) for n in range(first, first + 3)]
        await append(database, flood, clock=clock, new_names=EVER)
    # An import is not bounded.
    await append(database, [an_event(20, kind="kind 2", tool=None)], clock=later)
    await append(database, [an_event(21, tool=None)], clock=later, new_names=EVER)
    names = await admin.fetch("select name from admitted_names where name not like 'former %' order by position")
    assert [row["name"] for row in names] == ["kind 0", "kind 2", PAGE_VIEWED]
    stretches = await admin.fetch("select position, upto from refused_names order by position")
    assert [tuple(row) for row in stretches] == [(2, 3), (4, None)]


async def test_a_refusal_holds_until_its_hour_is_over(database: Database, admin: asyncpg.Connection) -> None:
    """A higher bound counts from the next hour on, so appends need not count names during a flood."""
    for number, most, clock in ((0, 1, NOW), (2, 9, NOW), (4, 9, NOW + HOUR)):
        pair = [an_event(n, kind=f"kind {n}", tool=None) for n in (number, number + 1)]
        await append(database, pair, clock=clock, new_names=most)
    names = await admin.fetch("select name from admitted_names order by position")
    assert [row["name"] for row in names] == ["kind 0", "kind 4", "kind 5"]


async def test_page_events_count_whatever_flood_came_before(database: Database, database_url: str) -> None:
    flood = [an_event(n, kind=f"kind {n}") for n in range(1, 21)]
    await append(database, flood, new_names=MOST)
    await append(database, [an_event(n, kind=kind) for n, kind in ((30, PAGE_VIEWED), (31, PAGE_LEFT))], new_names=MOST)
    await catch_up(database)
    async with reads(database, database_url) as found:
        summary = await found.summary.page(SCOPE)
    counted = by_key(summary["event_types"])
    assert (counted[PAGE_VIEWED], counted[PAGE_LEFT], counted[OTHER]) == (1, 1, 17)
    assert {(proof.state, proof.events) for proof in await proofs(database)} == {("verified", 22)}


async def test_admitted_names_take_of_the_questions_share_of_the_disk(flooded: Database, tmp_path: Path) -> None:
    asked = Stretch(NOW - HOUR, NOW + HOUR)
    async with flooded.snapshot() as session:
        share = DiskShare(1_000)
        found = await read_refused_names(session, [0], asked, ["action"], tmp_path, share)
        assert found.admitted is not None
        assert share.left == 1_000 - found.admitted.stat().st_size
        found.remove()
        with pytest.raises(DiskFull):
            await read_refused_names(session, [0], asked, ["action"], tmp_path, DiskShare(10))


async def test_names_from_before_the_migration_are_known(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    """They take no room of the first hour."""
    before = [an_event(n, kind=f"kind {n}", tool=None)._replace(action=f"action {n}") for n in range(5)]
    await append(database, before)
    await catch_up(database)
    while await version(database_url) >= STEP:
        await rollback(database_url)
    await migrate(database_url)
    assert {tuple(row) for row in await admin.fetch("select kind, name, position from admitted_names")} == {
        (kind, f"{what} {n}", 0) for n in range(5) for kind, what in (("event_type", "kind"), ("action", "action"))
    }
    after = [event._replace(event_id=f"after {event.event_id}") for event in before]
    await append(database, [*after, an_event(9, kind="new", tool=None)], new_names=1)
    assert await admin.fetchval("select count(*) from refused_names") == 0
    assert {(proof.state, proof.events) for proof in await proofs(database)} == {("verified", 11)}
