"""While quarantines come and go, verification, folds and rebuilds beside them never find a wrong hour."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from projections.archive.kept_hours import KeptHours
from projections.hours import list_hours
from projections.projector import catch_up
from projections.rebuild import REBUILT, rebuild
from projections.verify import verify
from sql.database import Database
from sql.hourly import RIGHT
from tests.support.log import an_event, append
from tests.support.quarantines import check, counted, definition, lift, put
from tests.support.retired_days import DAY, EVENTS, day
from tests.support.sharded import Sharded

UNTIL = day(9) + DAY
LATE = [an_event(7_000 + place, at=day(9) + DAY / 2, session=f"s{place}") for place in range(12)]
Work = Callable[[Database, KeptHours], Awaitable[None]]


async def again_and_again(work: Work, log: Sharded, archive: Path, done: asyncio.Event) -> int:
    """Do some work on connections of its own until all is done; return how often."""
    database, rounds = Database(log.url, lock_seconds=60, statement_seconds=120), 0
    try:
        with KeptHours(archive) as own:
            while not done.is_set():
                await work(database, own)
                rounds += 1
    finally:
        await database.close()
    return rounds


async def verifies(database: Database, own: KeptHours) -> None:
    hours = await list_hours(database, None, None)
    assert {proof.state async for proof in verify(database, hours, own)} <= RIGHT


async def rebuilds(database: Database, own: KeptHours) -> None:
    hours = await list_hours(database, None, None)
    assert {(each.outcome, each.rows_written) async for each in rebuild(database, hours, own)} == {(REBUILT, 0)}


async def quarantines(log: Sharded, kept: KeptHours, done: asyncio.Event) -> None:
    """Append events one by one; after every other one put or lift the quarantine, and leave it in force."""
    asked = await definition(log.url, until=UNTIL)
    try:
        for number, event in enumerate(LATE):
            await append(log.database, [event], clock=day(10))
            await catch_up(log.database)
            if number % 4 == 1:
                assert [each.hindrance for each in await put(log, kept, asked) if each.hindrance] == []
            elif number % 4 == 3 and event is not LATE[-1]:
                await lift(log, kept, 1 + number // 4)
    finally:
        done.set()


@pytest.mark.versions("newest")
async def test_no_hour_is_ever_wrong(log: Sharded, kept: KeptHours, archive: Path) -> None:
    done = asyncio.Event()
    beside = (again_and_again(work, log, archive, done) for work in (verifies, rebuilds))
    *rounds, _ = await asyncio.gather(*beside, quarantines(log, kept, done))
    assert all(rounds)
    await check(log, kept, [*EVENTS, *LATE], counted([*EVENTS, *LATE], until=UNTIL))
