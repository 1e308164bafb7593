"""Receipts and ledger together account for every append, whenever receipts are compacted."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import asyncpg

from projections.projector import tidy
from sql.database import Database
from sql.days import make_days
from tests.conftest import RETENTION_DAYS
from tests.support.log import NOW, an_event, append, until_waited_for
from tests.support.projection import fold, in_batches, random_events

HOURS = "select distinct hour_of(timestamp) from events"
WITNESSED = "select * from unnest($1::timestamptz[]) as h (hour), lateral appended(0, h.hour)"
FOUND = "select * from unnest($1::timestamptz[]) as h (hour), lateral found_in_log(0, h.hour)"
RECEIPTS = (
    "select last_position, sum(events)::int as events from receipts group by last_position order by last_position"
)
POSITIONS = """
select
    (select sum(w.s) from (select position_sum from hour_ledger union all select position_sum from receipts) as w (s)),
    (select sum(position) from events)
"""
TODAY = "select date_trunc('day', clock_timestamp(), 'UTC')"


async def compact(database: Database) -> int:
    row = await database.only(database.statements.compact_receipts, 0)
    return int(row["removed"])


async def witnesses_agree(admin: asyncpg.Connection) -> None:
    hours: list[datetime] = [row[0] for row in await admin.fetch(HOURS)]
    assert await admin.fetch(WITNESSED, hours) == await admin.fetch(FOUND, hours)


async def test_receipts_and_ledger_say_what_the_log_holds_whenever_they_are_compacted(
    database: Database, admin: asyncpg.Connection
) -> None:
    removed = 0
    for number, batch in enumerate(in_batches(random_events(4, 150, hours=5), seed=4)):
        await append(database, batch)
        if number % 3 == 0:
            await fold(database, limit=20)
        if number % 2 == 0:
            removed += await compact(database)
        await witnesses_agree(admin)
    assert removed > 10
    (row,) = await admin.fetch(POSITIONS)
    assert row[0] == row[1] > 0


async def test_compaction_keeps_the_newest_receipt_and_those_beyond_the_slowest_checkpoint(
    database: Database, admin: asyncpg.Connection
) -> None:
    async def positions() -> list[int]:
        return [row["last_position"] for row in await admin.fetch(RECEIPTS)]

    for number in range(6):
        await append(database, [an_event(number)])
    assert await compact(database) == 0
    await fold(database, limit=2)
    assert await compact(database) == 2
    assert await positions() == [3, 4, 5, 6]
    # A second version is behind the first, as during a rebuild.
    await admin.execute("insert into checkpoints values (0, 'hourly', 2, 3)")
    await fold(database)
    assert await compact(database) == 1
    assert await positions() == [4, 5, 6]
    await admin.execute("delete from checkpoints where version = 2")
    assert await compact(database) == 2
    assert await compact(database) == 0
    assert await positions() == [6]
    assert await append(database, [an_event(7), an_event(7)]) == {1: "duplicate"}
    assert await positions() == [6, 8]


async def test_concurrent_compactions_count_nothing_twice(database: Database, admin: asyncpg.Connection) -> None:
    for number in range(30):
        await append(database, [an_event(number), an_event(number)])
    await fold(database)
    # The second compaction waits for rows that the first has deleted but not committed.
    first = admin.transaction()
    await first.start()
    assert await admin.fetchval(database.statements.compact_receipts, 0) == 29
    second = asyncio.create_task(compact(database))
    await until_waited_for(admin)
    await first.commit()
    assert await second == 0
    await witnesses_agree(admin)
    # Then many compactions run at once, while a projector folds and an appender appends.
    for number in range(30, 60):
        await asyncio.gather(
            append(database, [an_event(number)]), fold(database), *(compact(database) for _ in range(3))
        )
    await witnesses_agree(admin)
    assert await admin.fetchval("select sum(events) from hour_ledger") > 30


async def tidied_within_a_day(database: Database, admin: asyncpg.Connection) -> tuple[datetime, int]:
    """Tidy, and repeat if a new day began meanwhile; return the day, and how many days were missing after it."""
    while True:
        today = await admin.fetchval(TODAY)
        await admin.execute(f"drop table events_{NOW + timedelta(days=2):%Y%m%d}")
        await tidy(database, RETENTION_DAYS)
        missing = await make_days(database, RETENTION_DAYS)
        if await admin.fetchval(TODAY) == today:
            return today, missing


async def test_tidying_compacts_and_makes_days_and_moves_no_horizon(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(1)])
    await append(database, [an_event(2)])
    await fold(database)
    _, missing = await tidied_within_a_day(database, admin)
    assert missing == 0
    assert [row["last_position"] for row in await admin.fetch(RECEIPTS)] == [2]
    assert await admin.fetchval("select horizon = '-infinity' from log_heads")
