"""Verify names every change of a sealed hour."""

from __future__ import annotations

import asyncpg
import pytest

from projections.conservation import conservation
from projections.hours import list_hours
from projections.rebuild import rebuild
from projections.verify import HourProof
from sql.database import Database
from sql.hourly import SEALED
from sql.migrate import list_migrations, migrate, rollback
from tests.support.alterations import undone
from tests.support.oracle import HOUR
from tests.support.projections_command import run
from tests.support.retired_days import EVENTS, day, fill, retire, verified
from tests.support.seal_changes import CHANGES, CHANGES_OF_DELETED, NEXT, OF_EDGES, PLACES, SECOND, Change, Fields
from tests.support.sharded import Sharded

COUNTS_BY_HOUR = 5


def named(found: list[HourProof], state: str) -> Fields:
    """Return the fields that verify names in the hours of a state."""
    return {p.hour.start: {each.field for each in p.differences} for p in found if p.state == state}


async def judge(log: Sharded, change: Change) -> None:
    """Make a change; assert that verify names exactly its fields, and that a rebuild mends the drift."""
    await log.admin.execute(change.script.format(**PLACES))
    found = await verified(log)
    broken, drifted = named(found, "broken"), named(found, "drifted")
    if change.edges:
        assert {name for fields in drifted.values() for name in fields} <= OF_EDGES
        broken, drifted = {hour: fields - OF_EDGES for hour, fields in broken.items()}, {}
    assert (broken, drifted) == (change.broken, change.drifted)
    assert named(found, "damaged") == {}
    assert all(shard.holds for shard in await conservation(log.database)) == change.whole
    if change.drifted:
        hours = await list_hours(log.database, SECOND, SECOND + HOUR)
        assert [each.outcome async for each in rebuild(log.database, hours)] == [SEALED]
        assert {proof.state for proof in await verified(log)} == {"sealed", "verified"}


async def test_every_change_of_what_was_sealed_is_found_and_named(sealed: Sharded, subtests: pytest.Subtests) -> None:
    assert {proof.state for proof in await verified(sealed)} == {"sealed", "verified"}
    for name, change in CHANGES.items():
        with subtests.test(name):
            async with undone(sealed.admin):
                await judge(sealed, change)
    assert {proof.state for proof in await verified(sealed)} == {"sealed", "verified"}


async def test_what_was_sealed_is_sealed_still_when_its_counts_were_converted(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await fill(log, [event._replace(user_id=None) for event in EVENTS])
    assert [retired.hindrance for retired in await retire(database, 3)] == [None] * 4
    before = await verified(log)
    assert {proof.state for proof in before} == {"sealed", "verified"}
    for _ in list_migrations()[COUNTS_BY_HOUR - 1 :]:
        await rollback(log.url, force=True)
    await migrate(log.url)
    assert await verified(log) == before


async def test_a_rebuild_of_a_range_says_what_it_cannot_mend(sealed: Sharded) -> None:
    await sealed.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", day(1))
    rebuilt = await run(sealed.url, "rebuild", "--from", f"{day(1):%Y-%m-%d}", "--to", f"{day(2):%Y-%m-%d}")
    assert (rebuilt.code, rebuilt.output.splitlines()) == (
        1,
        [
            f"{day(1):%Y-%m-%d}T00:00Z shard 0: not rebuilt: what was sealed is broken; see make verify",
            "rebuild of hourly: 3 hours, 16 events: 0 hours changed, 1 not rebuilt, 2 sealed",
        ],
    )


async def test_changes_are_found_when_the_rollups_are_deleted(sealed: Sharded, subtests: pytest.Subtests) -> None:
    await sealed.admin.execute("update leaving_days set until = '-infinity'")
    assert await retire(sealed.database, 3, grace_days=0, rollup_days=9) == []
    assert await sealed.admin.fetchval("select min(hour) from hourly_counts") == NEXT
    for name, change in CHANGES_OF_DELETED.items():
        with subtests.test(name):
            async with undone(sealed.admin):
                await judge(sealed, change)
    assert {proof.state for proof in await verified(sealed)} == {"sealed", "verified"}


async def test_a_seal_that_was_changed_before_its_day_was_dropped_keeps_the_day(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await fill(log, EVENTS)
    await admin.execute("begin; lock table events in access share mode")
    (kept,) = await retire(database, 0)
    await admin.execute("commit")
    assert (kept.hindrance, kept.failed) == ("canceling statement due to lock timeout", False)
    await admin.execute("update hour_seals set events = events + 1 where sequence = 2")
    assert named(await verified(log), "broken") == {day(0) + 7 * HOUR: {"seal", "events"}}
    (kept,) = await retire(database, 0)
    assert (kept.hindrance, kept.failed) == ("hour 07:00 of shard 0 is broken", True)
    assert dict(await database.only(database.statements.count_overdue_days)) == {"days": 1}
    await admin.execute("update hour_seals set events = events - 1 where sequence = 2")
    (dropped,) = await retire(database, 0)
    assert dropped.hindrance is None
    assert dict(await database.only(database.statements.count_overdue_days)) == {"days": 0}
