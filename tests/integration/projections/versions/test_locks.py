"""What a rebuild waits for, and what does not wait for a rebuild."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from projections import versions
from projections.hours import Hour
from projections.projector import catch_up, step, tidy
from projections.rebuild import rebuild
from projections.retention import retain
from sql.database import Database
from sql.hourly import PROJECTION, VERIFIED
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event, until_waited_for
from tests.support.projection import (
    START,
)
from tests.support.versions import HOURS, Log, rebuild_all, seal_first_day, verified


async def test_a_version_begins_where_the_live_one_stands_after_the_fold_under_way(
    single: Log, database_url: str
) -> None:
    """Receipts that are compacted meanwhile are receipts that the version does not need."""
    await single.fill(23)
    other = Database(database_url)
    folding = await asyncpg.connect(database_url)
    try:
        transaction = folding.transaction()
        await transaction.start()
        ((after, upto),) = await folding.fetch(single.database.statements.fold_hourly, 0, 1, 50_000)
        assert after < upto
        beginning = asyncio.create_task(versions.begin(other))
        await until_waited_for(folding)
        await single.database.only(single.database.statements.compact_receipts, 0)
        await transaction.commit()
        version = await beginning
        await single.database.only(single.database.statements.compact_receipts, 0)
    finally:
        await folding.close()
        await other.close()
    rows = await single.database.rows(single.database.statements.list_checkpoints, PROJECTION)
    assert {(row["version"], row["position"]) for row in rows} == {(1, upto), (version, upto)}
    await rebuild_all(single.database)
    await single.is_right(1, version)


async def test_a_second_rebuild_does_not_wait_for_an_hour_that_is_filled_nor_keep_the_log_from_being_folded(
    single: Log, database_url: str
) -> None:
    await single.fill(24)
    version = await versions.begin(single.database)
    assert await single.database.rows(single.database.statements.fold_hourly, 0, version, 50_000) == []
    filling = await asyncpg.connect(database_url)
    try:
        async with filling.transaction():
            await filling.fetch(single.database.statements.fill_hourly, 0, version, START, 1)
            assert await asyncio.wait_for(versions.begin(single.database), 5) == version
            assert await catch_up(single.database) > 0
    finally:
        await filling.close()
    await rebuild_all(single.database)
    await single.is_right(1, version)


@dataclass
class HotHour:
    """An hour that several writers append to while it is folded and rebuilt."""

    log: Log
    hour: Hour = field(default_factory=lambda: Hour(0, 1, START, 0))
    offered: int = 0
    is_over: bool = False

    async def write(self, writer: int) -> None:
        while not self.is_over:
            numbers = range(self.offered, self.offered + 300)
            self.offered += 300
            moments = [START + number * timedelta(milliseconds=20) for number in numbers]
            await self.log.append(
                [
                    an_event(number, at=moment, session=f"s{writer}_{number % 50}")
                    for number, moment in zip(numbers, moments, strict=True)
                ]
            )

    async def project(self) -> None:
        while not self.is_over:
            await step(self.log.database)
            await tidy(self.log.database, RETENTION_DAYS)

    async def rebuild(self) -> None:
        """Rebuild the hour over and over until it is large."""
        while self.offered < 10_000:
            outcomes = [hour.outcome async for hour in rebuild(self.log.database, [self.hour])]
            assert outcomes == ["rebuilt"]
        self.is_over = True


async def test_retention_does_not_wait_for_an_hour_that_is_filled(single: Log, database_url: str) -> None:
    await single.fill(25, hours=HOURS)
    await catch_up(single.database)
    version = await versions.begin(single.database)
    filling = await asyncpg.connect(database_url)
    try:
        async with filling.transaction():
            await filling.fetch(single.database.statements.fill_hourly, 0, version, START, 1)
            days = [day async for day in retain(single.database, Retention(2, 2, 2))]
            assert [day.failed for day in days if day.events] == [False]
            assert None not in [day.hindrance for day in days if day.events]
    finally:
        await filling.close()
    await rebuild_all(single.database)
    await seal_first_day(single)
    await single.is_right(1, version)


async def test_a_rebuild_of_a_hot_hour_at_full_load_ends(single: Log) -> None:
    hot = HotHour(single)
    async with asyncio.timeout(60):
        await asyncio.gather(hot.write(0), hot.write(1), hot.project(), hot.rebuild())
    await catch_up(single.database)
    assert (await single.rows(1, 0)).counts == oracle.rows(single.acked.values()).counts
    assert await verified(single.database) == {VERIFIED: 1}
