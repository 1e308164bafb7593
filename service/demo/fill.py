"""Fills the log of a demo like an import, waits until the projector has folded it, and verifies it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from service.console import CommandFailed, progress
from service.demo.events import DemoEvents
from service.imports.targets import Log, Target, storing
from service.ingest.disk_guard import guard_of
from service.ingest.event import Event
from service.ingest.outcomes import DUPLICATE, STORED
from service.settings import Settings
from sql.database import Database
from sql.hourly import PROJECTION

BATCH_EVENTS = 500
# This many batches may wait for their append while the next are made.
BATCHES_IN_FLIGHT = 4
POLL_SECONDS = 0.05


class DemoFailed(CommandFailed):
    """Making the demo failed. The message is one line."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The options of a demo: `events` events in the `days` days before `end`.

    trickle: whether more events come while it runs. The same seed and end give the same events.
    """

    events: int
    seed: int
    days: int
    end: datetime
    trickle: bool = True


async def fill(settings: Settings, url: str, demo: Demo) -> tuple[Counter[str], int]:
    """Store the events and their repeats. Return the number of events by outcome, and the number of visitors.

    Raises sql.errors.DatabaseError, and DemoFailed when some events are not stored.
    """
    database = Database(url)
    disk = guard_of(url, settings.data_dir)
    outcomes: Counter[str] = Counter()
    events = DemoEvents(demo.events, demo.end, demo.seed, demo.days)
    try:
        async with storing(Log(database, settings.log_days, disk=disk)) as target:
            with progress("demo", demo.events, "events") as meter:
                async for batch in _stored(target, events):
                    outcomes += batch
                    meter.advance(batch[STORED])
    finally:
        await database.close()
    if outcomes[STORED] != demo.events or outcomes.keys() - {STORED, DUPLICATE}:
        raise DemoFailed(f"expected the log to store {demo.events:,} events of the demo, got {dict(outcomes)}")
    return outcomes, events.visitors


async def _stored(target: Target, events: Iterator[Event]) -> AsyncIterator[Counter[str]]:
    """Append batches in order, a few at a time; give the outcomes of each batch."""
    flying: deque[asyncio.Task[list[str]]] = deque()
    try:
        while batch := list(islice(events, BATCH_EVENTS)):
            flying.append(asyncio.create_task(target(batch)))
            if len(flying) == BATCHES_IN_FLIGHT:
                yield Counter(await flying.popleft())
        while flying:
            yield Counter(await flying.popleft())
    finally:
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)


async def prove(url: str) -> None:
    """Wait until a projector has folded all events, then verify every hour. Raises DemoFailed when one is wrong."""
    database = Database(url, connections=1)
    try:
        while await _lag(database):  # noqa: ASYNC110  # another process folds
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await database.close()
    verifying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "projections", "verify"),
        env=os.environ | {"DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr,  # because standard output is for data
        start_new_session=True,
    )
    try:
        if await verifying.wait():
            raise DemoFailed("some hours of the demo do not verify, see above")
    finally:
        if verifying.returncode is None:
            verifying.terminate()
            await verifying.wait()


async def _lag(database: Database) -> int:
    rows = await database.rows(database.statements.list_lags, PROJECTION, None)
    return sum(row["lag_events"] for row in rows)
