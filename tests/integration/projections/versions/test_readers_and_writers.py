"""Readers, writers and projectors work on while everything is rebuilt as the next version."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import pytest

from projections import versions
from projections.due_hours import verify_due
from projections.projector import step, tidy
from projections.versions import NotSwitched, drop_old, end_abandoned, kept, roll_back
from service.ingest.event import Event
from sql.hourly import VERIFIED
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.projection import (
    START,
    in_batches,
    random_events,
)
from tests.support.versions import A_DAY_LATER, UNTIL, Log, filled, live, rebuild_all, verified

REBUILDS = 2


@dataclass
class Load:
    """Jobs that run beside rebuilds until the rebuilds are done and all events are appended."""

    log: Log
    events: list[Event]
    rebuilds: int = 0
    reads: int = 0

    @property
    def is_over(self) -> bool:
        return self.rebuilds >= REBUILDS and len(self.log.acked) >= len(self.events)

    async def write(self) -> None:
        for batch in in_batches(self.events, seed=1):
            await self.log.append(list(batch))

    async def project(self) -> None:
        while not self.is_over:
            await step(self.log.database, limit=25)
            await tidy(self.log.database, RETENTION_DAYS)

    async def read(self) -> None:
        """Read over and over; assert that no acked event is missing, and that no number falls or is too great."""
        most = oracle.fresh([*self.log.acked.values(), *self.events], START, UNTIL)
        seen = oracle.Fresh()
        while not self.is_over:
            least = oracle.fresh(self.log.acked.values(), START, UNTIL) | seen
            seen = await self.log.read()
            assert least - seen == oracle.Fresh()
            assert seen - most == oracle.Fresh()
            self.reads += 1

    async def rebuild(self) -> None:
        while not self.is_over:
            proofs = await rebuild_all(self.log.database)
            assert {proof.state for proof in proofs} == {VERIFIED}
            self.rebuilds += 1


async def test_readers_and_writers_notice_nothing_of_rebuilds(log: Log) -> None:
    await log.fill(1)
    load = Load(log, random_events(2, 500, hours=5))
    await asyncio.gather(load.write(), load.project(), load.read(), load.rebuild())
    rebuilds = load.rebuilds
    assert load.reads > 10
    former, newest = await kept(log.database), await live(log.database)
    assert [*former, newest] == [rebuilds, rebuilds + 1]
    assert await log.read() == log.expected()
    await log.is_right(*former, newest)
    assert set(await verified(log.database)) == {VERIFIED}

    assert await roll_back(log.database) == (newest, former[0])
    assert await log.read() == log.expected()
    assert await roll_back(log.database) == (former[0], newest)
    assert await drop_old(log.database) == former
    assert await log.left(former[0]) == {}
    await log.is_right(newest)
    with pytest.raises(NotSwitched, match="there is no other version to go back to"):
        await roll_back(log.database)


async def fill_some(log: Log, chance: random.Random) -> None:
    version = await versions.begin(log.database)
    most = chance.randrange(6)
    async for _ in versions.fill(log.database, version):
        most -= 1
        if most < 0:
            break


async def prove_some(log: Log, chance: random.Random) -> None:
    version = await filled(log.database)
    async for _ in versions.prove(log.database, version):
        if chance.random() < 0.3:
            break


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_done_in_whatever_order_reads_are_right(log: Log, seed: int) -> None:
    chance = random.Random(seed)
    database = log.database
    events = iter(random_events(seed, 400, hours=5))
    later = datetime.now(UTC) + A_DAY_LATER
    deeds: list[Callable[[], Awaitable[object]]] = [
        *[lambda: log.append(list(islice(events, 12)))] * 4,
        *[lambda: step(database, limit=20)] * 3,
        *[lambda: tidy(database, RETENTION_DAYS)] * 2,
        lambda: fill_some(log, chance),
        lambda: prove_some(log, chance),
        lambda: rebuild_all(database),
        lambda: roll_back(database),
        lambda: drop_old(database),
        lambda: end_abandoned(database, clock=later),
        lambda: verify_due(database, clock=later),
    ]
    for _ in range(40):
        with suppress(NotSwitched):  # a rollback may have no version to go back to
            await chance.choice(deeds)()
        assert await log.read() == log.expected()
    await log.is_right(await live(database), *await kept(database))
    assert set(await verified(database)) == {VERIFIED}
