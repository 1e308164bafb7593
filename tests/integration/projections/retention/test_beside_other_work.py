"""Passes of retention beside appends, folds, verifications, rebuilds and other passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from projections.hours import list_hours
from projections.projector import catch_up, step
from projections.rebuild import REBUILT, rebuild
from projections.retention import RetiredDay
from projections.verify import HourProof, verify
from service.ingest.event import Event
from sql.database import Database
from sql.hourly import SEALED
from tests.support import oracle
from tests.support.log import an_event, append
from tests.support.projection import another_round
from tests.support.retired_days import (
    EVENTS,
    answers,
    append_all,
    chain_is_whole,
    day,
    of_day,
    past,
    retire,
    states,
    totals,
    whole,
)
from tests.support.sharded import Sharded

MILLISECOND = timedelta(milliseconds=1)


async def test_two_passes_at_once_are_as_good_as_one(old: Sharded) -> None:
    another = Database(old.url)
    both = await asyncio.gather(*(retire(database, 3) for database in (old.database, another)))
    await another.close()
    dropped = sorted(retired.day for each in both for retired in each if retired.hindrance is None)
    assert [retired for each in both for retired in each if retired.failed] == []
    # A pass that timed out on the other's locks may leave a day to the next pass.
    dropped += [retired.day for retired in await retire(old.database, 3)]
    assert sorted(dropped) == [day(number).date() for number in range(4)]
    assert set((await states(old)).values()) == {"sealed", "verified"}
    await chain_is_whole(old)
    assert await answers(old, day(0), day(12)) == oracle.fresh(EVENTS, day(0), day(12))


class Busy(Database):
    """A database that appends an event before each look at the checkpoints, as if senders never paused."""

    sent = 0

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        if query == self.statements.list_checkpoints:
            self.sent += 1
            await append(self, [an_event(2_000 + self.sent, at=day(10))], clock=past(3))
        return await super().rows(query, *args)


async def test_a_pass_ends_although_there_is_always_more_to_fold(log: Sharded) -> None:
    busy = Busy(log.url)
    async with asyncio.timeout(60):
        await append(log.database, [an_event(2_000, at=day(10))], clock=past(3))
        assert await retire(busy, 3) == whole(*range(4), events=EVENTS)
    assert busy.sent > 0
    await busy.close()


class Beside:
    """Appends, folds, verifications and rebuilds that run over and over beside a pass."""

    def __init__(self, old: Sharded) -> None:
        self.old = old
        self.done, self.checked, self.mended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.sent: list[Event] = []
        self.found: list[HourProof] = []

    async def write(self) -> None:
        numbers = range(len(self.sent), len(self.sent) + 5)
        batch = [an_event(1_000 + n, at=day(10) + n * MILLISECOND, session=f"s{n % 6}") for n in numbers]
        await append_all(self.old, batch, clock=past(3))
        self.sent += batch

    async def project(self) -> None:
        await step(self.old.database)
        await self.old.database.only(self.old.database.statements.compact_receipts, 0)

    async def check(self) -> None:
        hours = await list_hours(self.old.database, None, None)
        self.found += [proof async for proof in verify(self.old.database, hours)]
        self.checked.set()

    async def mend(self) -> None:
        async for rebuilt in rebuild(self.old.database, await list_hours(self.old.database, None, day(4))):
            assert rebuilt.outcome in (REBUILT, SEALED)
            assert rebuilt.rows_written == 0
        self.mended.set()

    async def repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self.done.is_set():
            await work()

    async def retire(self) -> list[RetiredDay]:
        """Run passes until no day is left, with a round of the other jobs before and after; return the failed days."""
        database = Database(self.old.url)
        await another_round(self.checked, self.mended)
        failed: list[RetiredDay] = []
        while (retired := await retire(database, 3)) and not failed:
            failed += [each for each in retired if each.failed]
        await another_round(self.checked, self.mended)
        self.done.set()
        await database.close()
        return failed


async def test_a_pass_beside_appends_folds_verifies_and_rebuilds(old: Sharded) -> None:
    beside = Beside(old)
    works = (beside.write, beside.project, beside.check, beside.mend)
    failed, *_ = await asyncio.gather(beside.retire(), *(beside.repeat(work) for work in works))
    assert failed == []
    assert {proof.state for proof in beside.found} == {"verified", "sealed"}
    await catch_up(old.database)
    assert await answers(old, day(0), day(12)) == oracle.fresh([*EVENTS, *beside.sent], day(0), day(12))
    assert (await totals(old.database))[2] == sum(len(of_day(number, EVENTS)) for number in range(4))
    await chain_is_whole(old)
