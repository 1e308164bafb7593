"""Jobs whose connections are cut at every statement boundary. After each cut the job runs again without a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any
from unittest.mock import patch

from projections import versions
from projections.due_hours import verify_due
from projections.hours import list_hours
from projections.projector import step, tidy
from projections.rebuild import rebuild
from projections.retention import retain
from projections.undrop import undrop
from projections.verify import verify
from service.errors import ServiceError
from service.ingest import appender as module
from service.ingest.appender import Appender
from service.ingest.event import Event
from service.ingest.outcomes import STORED, UNAVAILABLE
from sql.database import Database
from sql.errors import DatabaseError
from sql.retention import Retention
from tests.faults.table.boundaries import Boundaries, Moment, boundaries
from tests.faults.table.ground import DAY, RETENTION_DAYS, Ground
from tests.support.oracle import HOUR
from tests.support.retired_days import reading_at
from tests.support.waiting import until

# The datetime is the hour that events were just appended to.
Work = Callable[[Database, datetime], Awaitable[object]]
ROLLUP_DAYS = 10_000


async def fold(database: Database, hour: datetime) -> None:
    """Run one step of the projector."""
    await step(database)


async def clockwork(database: Database, hour: datetime) -> None:
    """Run one round of the clockwork, with receipts to compact."""
    await step(database)
    await tidy(database, RETENTION_DAYS)


async def rebuild_hour(database: Database, hour: datetime) -> None:
    """Rebuild one hour in place."""
    await _all(rebuild(database, await list_hours(database, hour, hour + HOUR)))


async def verify_hour(database: Database, hour: datetime) -> None:
    """Verify one hour, and the hours that are due for the projector."""
    await _all(verify(database, await list_hours(database, hour, hour + HOUR)))
    await verify_due(database)


async def retire(database: Database, hour: datetime) -> None:
    """Verify, seal and drop days, at a clock when the hour's day is past the horizon."""
    clock = hour.replace(hour=1) + (RETENTION_DAYS + 1) * DAY
    kept = Retention(RETENTION_DAYS, ROLLUP_DAYS, RETENTION_DAYS)
    retired = await _all(retain(database, kept, grace_days=0, force=True, reading=reading_at(clock)))
    # When the answer of a drop was lost, the pass repeats the drop and finds the day gone.
    if hindered := [day for day in retired if day.hindrance not in (None, "gone")]:
        raise AssertionError(f"days were not retired: {hindered}")


async def retire_and_undrop(database: Database, hour: datetime) -> None:
    """Take days out of the log, and bring them back."""
    reading = reading_at(hour.replace(hour=1) + (RETENTION_DAYS + 1) * DAY)
    await _all(retain(database, Retention(RETENTION_DAYS, ROLLUP_DAYS, RETENTION_DAYS), force=True, reading=reading))
    if wrong := [day for day in await _all(undrop(database, reading=reading)) if day.wrong]:
        raise AssertionError(f"days came back wrong: {wrong}")
    if left := await database.rows(database.statements.list_detached_days):
        raise AssertionError(f"days did not come back: {left}")


async def rebuild_everything(database: Database, hour: datetime) -> None:
    """Rebuild everything as a new version, switch to it, and drop the old version."""
    version = await versions.begin(database)
    await _all(versions.fill(database, version))
    await versions.switch(database, version, await _all(versions.prove(database, version)))
    await versions.drop_old(database)


WORKS: dict[str, Work] = {
    "projector step": fold,
    "clockwork": clockwork,
    "rebuild of an hour": rebuild_hour,
    "verify of an hour": verify_hour,
}
# Jobs of many transactions.
LONG_WORKS: dict[str, Work] = {
    "retention pass": retire,
    "undrop": retire_and_undrop,
    "rebuild of everything": rebuild_everything,
}


async def _all(results: AsyncIterator[Any]) -> list[Any]:
    return [result async for result in results]


async def try_every_boundary(ground: Ground, work: Work) -> None:
    """Cut the work at its first statement, its second, and so on, until all boundaries and enough faults are tried."""

    async def attempt(way: Boundaries) -> None:
        hour = await ground.append()
        await _until_cut(way, work, hour)
        if way.was_cut:
            await ground.verify(hour)
        await work(ground.database, hour)

    async with boundaries(ground.url, ground.folder) as way:
        await _try_all(ground, way, attempt)


async def _until_cut(way: Boundaries, work: Work, hour: datetime) -> None:
    async with _database(way) as database:
        try:
            await work(database, hour)
        except DatabaseError:
            if not way.was_cut:
                raise


async def append_at_every_boundary(ground: Ground) -> None:
    """Cut an appender; it repeats a commit with unknown outcome, with the same ids."""

    async def attempt(way: Boundaries) -> None:
        hour = ground.next_hour()
        events = ground.events_of(hour)
        async with _database(way) as database:
            await append_until_acked(database, events)
        ground.ack(events)
        await ground.verify(hour)

    # A short pause makes the trial fast; no result depends on it.
    with patch.object(module, "PROBE_SECONDS", 0.002):
        async with boundaries(ground.url, ground.folder) as way:
            await _try_all(ground, way, attempt)


async def append_until_acked(database: Database, events: list[Event]) -> None:
    """Append through an appender; as clients do, resend events that are not acked."""
    appender = Appender(database, RETENTION_DAYS)
    await appender.start()

    try:
        while events:
            await until(lambda: appender.available, "the appender has the database")
            events = await _send(appender, events)
    finally:
        await appender.close()


async def _send(appender: Appender, events: list[Event]) -> list[Event]:
    """Send events; return those that were not acked."""
    try:
        outcomes = await appender.append(events)
    except ServiceError:
        return events
    if not set(outcomes) <= {STORED, UNAVAILABLE, "duplicate"}:
        raise AssertionError(f"events were refused; outcomes: {set(outcomes)}")
    return [event for event, outcome in zip(events, outcomes, strict=True) if outcome == UNAVAILABLE]


@asynccontextmanager
async def _database(way: Boundaries) -> AsyncIterator[Database]:
    """Give a database with new connections, which all go through the proxy."""
    database = Database(way.url)
    try:
        yield database
    finally:
        await database.close()
        await way.settled()


async def _try_all(ground: Ground, way: Boundaries, attempt: Callable[[Boundaries], Awaitable[None]]) -> None:
    """Cut before and after each boundary's statement, over and over until there are enough faults."""
    stride = ground.trial.stride
    while ground.row.faults < ground.trial.faults:
        for moment, first in ((Moment.BEFORE, 1), (Moment.AFTER, 1 + stride // 2)):
            for place in count(first, stride):
                way.arm(moment, place)
                await attempt(way)
                if not way.was_cut:
                    break
                ground.row.faults += 1
