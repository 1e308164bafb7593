"""A day that is read is dropped later; work that waits for a drop finds the day sealed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from projections import retention
from projections.hours import Hour, list_hours
from projections.rebuild import rebuild
from projections.retention import RetiredDay
from projections.verify import verify, verify_hour
from sql.hourly import SEALED
from tests.support.log import an_event, append, until_waited_for
from tests.support.oracle import HOUR
from tests.support.projection import folded
from tests.support.retired_days import (
    DAY,
    EVENTS,
    SEALS,
    day,
    past,
    retire,
    states,
    whole,
)
from tests.support.sharded import Sharded


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold the lock that every reader of the log holds."""
    connection = await asyncpg.connect(url)
    await connection.execute("begin; lock table events in access share mode")
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_day_in_use_is_left_for_later_and_holds_nobody_up(log: Sharded) -> None:
    slowest = 0.0
    done = asyncio.Event()

    async def keep_appending() -> None:
        nonlocal slowest
        number = 1_000
        while not done.is_set():
            started = time.monotonic()
            await append(log.database, [an_event(number, at=day(9) + HOUR)], clock=past(0) + 2 * DAY)
            slowest = max(slowest, time.monotonic() - started)
            number += 1

    async with reading(log.url):
        appending = asyncio.create_task(keep_appending())
        (kept,) = await retire(log.database, 0)
        done.set()
        await appending
        assert kept == RetiredDay(day(0).date(), 16, "canceling statement due to lock timeout", in_use=True)
        assert slowest < 10  # five waits of 200 ms, and time for a busy machine
        seals = await log.admin.fetch(SEALS)
        # A patient pass does not read the day again at once, because it may still be in use.
        assert await retire(log.database, 0, patience=retention.PATIENCE) == []
        assert set((await states(log)).values()) == {"verified"}
    assert await retire(log.database, 0) == whole(0, events=EVENTS)
    assert await log.admin.fetch(SEALS) == seals


async def test_while_the_log_is_read_only_one_day_is_tried(log: Sharded) -> None:
    async with reading(log.url):
        assert [(kept.day, kept.in_use) for kept in await retire(log.database, 2)] == [(day(0).date(), True)]
    assert await retire(log.database, 2) == whole(0, 1, 2, events=EVENTS)


@asynccontextmanager
async def sealed_day(log: Sharded) -> AsyncIterator[None]:
    """Seal the first day while a reader keeps it from being dropped; the reader is gone inside the block."""
    async with reading(log.url):
        (kept,) = await retire(log.database, 0)
        assert kept.hindrance
    yield


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_a_day_dropped_between_the_list_of_hours_and_their_reading_raises_no_alarm(
    log: Sharded, work: str
) -> None:
    hours = await list_hours(log.database, day(0), day(1))
    rows = await folded(log.admin)
    await retire(log.database, 0)
    if work == "verify":
        assert {proof.state async for proof in verify(log.database, hours)} == {"sealed"}
    else:
        assert {(each.outcome, each.rows_written) async for each in rebuild(log.database, hours)} == {(SEALED, 0)}
    assert await folded(log.admin) == rows


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_a_drop_waits_for_who_reads_the_day(log: Sharded, work: str) -> None:
    """A drop is tried after the day is held and before it is read or recounted."""
    statements = log.database.statements
    rows = await folded(log.admin)
    async with sealed_day(log), log.database.transaction() as session:
        assert (await session.only(statements.hold_day, day(0)))["held"]
        (kept,) = await retire(log.database, 0)
        assert kept.hindrance == "canceling statement due to lock timeout"
        if work == "verify":
            found = await session.rows(statements.verify_hourly, 0, 1, day(0))
            assert {row["finding"] for row in found} == {"folded", "proof"}
            assert [row for row in found if row["finding"] == "proof" and row["stored"] != row["recounted"]] == []
        else:
            assert tuple(await session.only(statements.check_log, 0, day(0))) == (True, False)
            (hour, *_) = await list_hours(log.database, day(0), day(1))
            assert hour.start == day(0)
    assert await retire(log.database, 0) == whole(0, events=EVENTS)
    assert await folded(log.admin) == rows


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_who_comes_while_a_day_is_being_dropped_finds_it_sealed(log: Sharded, work: str) -> None:
    rows = await folded(log.admin)
    async with sealed_day(log):
        (hour, *_) = await list_hours(log.database, day(0), day(1))
        dropping = await asyncpg.connect(log.url)
        await dropping.execute("begin")
        detach = log.database.statements.detach_day
        assert tuple(*await dropping.fetch(detach, day(0).date(), past(2), past(0), None)) == (None, False)
        if work == "verify":
            waiting = asyncio.create_task(_state(log, hour))
        else:
            waiting = asyncio.create_task(_outcome(log, hour))
        await until_waited_for(dropping)
        await dropping.execute("commit")
        assert await waiting == "sealed"
        await dropping.close()
    assert await folded(log.admin) == rows
    assert set((await states(log)).values()) == {"sealed", "verified"}


async def _state(log: Sharded, hour: Hour) -> str:
    return (await verify_hour(log.database, hour)).state


async def _outcome(log: Sharded, hour: Hour) -> str:
    (rebuilt,) = [each async for each in rebuild(log.database, [hour])]
    assert rebuilt.rows_written == 0
    return rebuilt.outcome
