"""A day that left the log can be brought back until its grace ends, and then its events are dropped."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from projections.hours import list_hours
from projections.log_heads import log_heads, losses
from projections.rebuild import rebuild
from projections.retention import RetiredDay, retain
from projections.seals import missing_heads, seal_heads
from projections.undrop import ReturnedDay, undrop
from sql.database import Database
from sql.errors import Unavailable
from sql.hourly import SEALED
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event, append, until_waited_for
from tests.support.oracle import HOUR
from tests.support.projection import folded
from tests.support.projections_command import run
from tests.support.retired_days import (
    DAY,
    EVENTS,
    LONG,
    SEALS,
    answers,
    chain_is_whole,
    day,
    of_day,
    past,
    reading_at,
    retire,
    states,
    totals,
    whole,
)
from tests.support.sharded import Sharded

KEPT = Retention(RETENTION_DAYS, LONG, RETENTION_DAYS)
HARM = "delete from {} where timestamp = $1"
TABLE = "select to_regclass(day_partition($1)) is not null"


async def passed(database: Database, number: int, hours: int = 0) -> list[RetiredDay]:
    """Run a pass some hours after a day is due, by clocks that are right."""
    reading = reading_at(past(number) + hours * HOUR)
    return [retired async for retired in retain(database, KEPT, reading=reading)]


async def brought_back(database: Database, number: int, *, since: int | None = None) -> list[ReturnedDay]:
    first = None if since is None else day(since).date()
    return [back async for back in undrop(database, first, reading=reading_at(past(number)))]


async def test_a_day_is_dropped_when_its_grace_has_ended_and_not_before(old: Sharded) -> None:
    assert await retire(old.database, 0) == whole(0, events=EVENTS)
    assert await old.admin.fetchval(TABLE, day(0).date())
    assert await passed(old.database, 0, hours=47) == whole(1, events=EVENTS)
    assert await old.admin.fetchval(TABLE, day(0).date())
    *_, dropped = await passed(old.database, 0, hours=48)
    assert dropped == RetiredDay(day(0).date(), 16, dropped=True)
    assert not await old.admin.fetchval(TABLE, day(0).date())
    assert await old.admin.fetchval(TABLE, day(1).date())
    assert set((await states(old)).values()) == {"sealed", "verified"}
    assert await brought_back(old.database, 2, since=0) != []
    assert await old.admin.fetchval("select count(*) from retired_days where day = $1", day(0).date()) == old.shards


async def test_detached_days_come_back_as_they_were(old: Sharded) -> None:
    rows = [await folded(old.admin, shard=shard) for shard in range(old.shards)]
    before = await answers(old, day(0), day(12))
    await retire(old.database, 2)
    seals, heads = await old.admin.fetch(SEALS), await seal_heads(old.database)
    until = past(2) + 2 * DAY
    assert await brought_back(old.database, 2) == [
        ReturnedDay(day(number).date(), 16, wrong=0, until=until) for number in (2, 1, 0)
    ]
    assert await totals(old.database) == (len(EVENTS), len(EVENTS), 0)
    assert set((await states(old)).values()) == {"verified"}
    assert await answers(old, day(0), day(12)) == before
    hours = await list_hours(old.database, day(0), day(3))
    assert {(each.outcome, each.rows_written) async for each in rebuild(old.database, hours)} == {("rebuilt", 0)}
    assert [await folded(old.admin, shard=shard) for shard in range(old.shards)] == rows
    assert (await old.admin.fetch(SEALS), await missing_heads(old.database, heads)) == (seals, [])
    # The days take no new events, and retention leaves them alone for a while.
    assert await append(old.database, [an_event(900, at=day(1))], clock=past(2)) == {0: "expired"}
    assert await passed(old.database, 2, hours=47) == whole(3, events=EVENTS)
    assert {retired.day for retired in await passed(old.database, 2, hours=48)} == {
        day(number).date() for number in range(3)
    } | {day(4).date()}
    assert await old.admin.fetch(SEALS) != seals  # day 3 was sealed, too
    await chain_is_whole(old)


async def test_only_the_newest_days_come_back(log: Sharded) -> None:
    await retire(log.database, 3)
    assert [back.day for back in await brought_back(log.database, 3, since=2)] == [day(3).date(), day(2).date()]
    (kept,) = await log.database.rows(log.database.statements.read_kept, None)
    assert kept["events_since"] == day(2)
    assert await totals(log.database) == (len(EVENTS), len(EVENTS) - 32, 32)
    assert await brought_back(log.database, 3, since=2) == []


async def test_a_day_whose_retention_became_longer_stays_when_it_came_back(log: Sharded) -> None:
    await retire(log.database, 1)
    await brought_back(log.database, 1)
    await log.admin.execute("update retention_in_force set event_days = 60, rollup_days = 1000, log_days = 60")
    later = reading_at(past(1) + 10 * DAY)
    assert [each async for each in retain(log.database, Retention(60, LONG, 60), reading=later)] == []
    assert dict(await log.database.only(log.database.statements.count_overdue_days)) == {"days": 0}


async def test_a_detached_day_cannot_be_changed_and_one_that_was_changed_anyway_is_told(log: Sharded) -> None:
    await retire(log.database, 0)
    table = await log.admin.fetchval("select day_partition($1)", day(0).date())
    caller = await asyncpg.connect(log.url)
    for change in ("update {} set action = 'x'", "delete from {}", "truncate {}"):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await caller.execute(change.format(table))
    await caller.close()
    await log.admin.execute(HARM.format(table), day(0))
    (back,) = await brought_back(log.database, 0)
    assert (back.events, back.wrong) == (16, 1)


async def test_a_day_does_not_come_back_while_the_log_is_read(log: Sharded) -> None:
    await retire(log.database, 0)
    reader = await asyncpg.connect(log.url)
    await reader.execute("begin; lock table events in access share mode")
    with pytest.raises(Unavailable, match="lock timeout"):
        await brought_back(log.database, 0)
    assert await totals(log.database) == (len(EVENTS), len(EVENTS) - 16, 16)
    await reader.close()
    assert len(await brought_back(log.database, 0)) == 1


async def test_who_counts_the_log_while_a_day_comes_back_counts_it_once(log: Sharded) -> None:
    await retire(log.database, 0)
    returning = await asyncpg.connect(log.url)
    await returning.execute("begin")
    (row,) = await returning.fetch(log.database.statements.attach_day, day(0).date(), past(2))
    assert row["attached"]
    counting = asyncio.create_task(totals(log.database))
    await until_waited_for(returning)
    await returning.execute("commit")
    await returning.close()
    assert await counting == (len(EVENTS), len(EVENTS), 0)


async def test_rollups_wait_for_a_day_that_can_come_back(log: Sharded) -> None:
    assert len(await retire(log.database, 3, rollup_days=RETENTION_DAYS)) == 4
    assert await log.admin.fetchval("select min(hour) from hour_ledger") == day(0)
    await brought_back(log.database, 3)
    assert set((await states(log)).values()) == {"verified"}
    await log.admin.execute("update leaving_days set until = '-infinity'")
    await retire(log.database, 3, grace_days=0, rollup_days=RETENTION_DAYS)
    assert await log.admin.fetchval("select min(hour) from hour_ledger") == day(9)


async def test_a_day_that_comes_back_is_no_loss_to_a_witness(log: Sharded) -> None:
    await retire(log.database, 0, grace_days=0)
    known = await log_heads(log.database)
    await retire(log.database, 2)
    detached = await log_heads(log.database)
    await brought_back(log.database, 2)
    for heads in (known, detached):
        assert heads[0].retired == 16
        assert await losses(log.database, heads) == []


async def test_the_records_of_dropped_days_stay(log: Sharded) -> None:
    await retire(log.database, 0, grace_days=0)
    await retire(log.database, 1)
    caller = await asyncpg.connect(log.url)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await caller.execute("delete from retired_days where day = $1", day(0).date())
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await caller.execute("update retired_days set events = 0")
    await caller.close()


async def test_the_commands_retire_a_day_and_bring_it_back(log: Sharded) -> None:
    await retire(log.database, 1)
    back = await run(log.url, "undrop", "--from", f"{day(1):%Y-%m-%d}")
    assert (back.code, back.output.splitlines()[-1]) == (0, "undrop: 1 day, 16 events brought back")
    assert back.output.startswith(f"{day(1):%Y-%m-%d}: 16 events are back, until ")
    clean = await run(log.url, "verify")
    assert (clean.code, clean.output.splitlines()[-1].rpartition(": ")[2]) == (0, "clean")
    hours = await list_hours(log.database, day(0), day(1))
    assert {each.outcome async for each in rebuild(log.database, hours)} == {SEALED}
    assert await answers(log, day(0), day(12)) == oracle.fresh(EVENTS, day(0), day(12))
    assert (await totals(log.database))[2] == len(of_day(0, EVENTS))
