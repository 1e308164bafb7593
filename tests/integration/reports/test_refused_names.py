"""A flood of invented names: numbers by name stay useful, events keep their names, and operators are told."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import structlog

from projections.projector import catch_up
from projections.refused_names import names_watch
from sql.database import Database
from sql.hourly import OTHER
from sql.migrate import migrate, rollback
from tests.integration.reports.test_rollups import told
from tests.support.log import an_event, append
from tests.support.projection import proofs
from tests.support.reads import reads
from tests.support.schema import version

MOST = 3
pytestmark = pytest.mark.versions("newest")

# The migration that admits names.
STEP = 19
WHY = (
    "more than HOURLEDGER_NEW_NAMES_AN_HOUR new names came in this hour: action, event_type, tool_name;"
    " further ones count as (other) until the hour is over"
)
ADMITTED = "select kind, name from admitted_names where position > 0 order by kind, position"
CHANGES = (
    *("update admitted_names set position = 0", "delete from admitted_names", "truncate admitted_names"),
    *("update refused_names set position = 0", "delete from refused_names", "truncate refused_names"),
)
SCOPE = b"hours=24"


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
    types = {"page_viewed": 2, "kind 1": 1, "kind 2": 1, OTHER: 18}
    tools = {"Home": 2, "tool 1": 1, "tool 2": 1, OTHER: 18}
    async with reads(flooded, database_url) as found:
        for more in (b"", b"&demo_mode=true"):  # from rollups, and from raw events
            summary = await found.summary.page(SCOPE + more)
            assert (by_key(summary["event_types"]), by_key(summary["tool_usage"])) == (types, tools)
            assert (summary["totals"]["events"], summary["totals"]["event_types"]) == (22, 4)
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
        *(("event_type", name) for name in ("page_viewed", "kind 1", "kind 2")),
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
    await append(database, [an_event(n, kind=f"kind {n}") for n in range(40, 60)], new_names=MOST)
    assert await admin.fetchval("select count(*) from admitted_names where kind = 'event_type'") == 50


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
