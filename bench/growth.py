"""Appending to a log with a hundred times as many events: a model, whose days are filled beforehand.

An append touches only the partitions of its events' days and the newest receipts. So a hundred times as many events
matter only because those days are larger. A million events kept for 30 days are 33,333 a day; a hundred million are
3,333,300. Two logs have one day of each size, filled up to its last hour. The benchmark appends the same events to both
in turns.

For the second row the events are late and spread evenly over all days. The other days hold a fiftieth of the events,
because filling them takes long. Both logs are verified at the end, with all their events.

The model leaves out two effects. Work on other days would claim memory. And after a checkpoint the first change of a
page logs the page in full, which slows down the first 50,000 events or so on a large day: a few per cent of the events
between two checkpoints. For events in order, the warm-up covers them. Late events nearly always meet such pages, and
are measured with that cost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.ground import RETENTION_DAYS, WEB, Ground, Grounds, empty
from bench.rows import EVENTS_PER_SECOND, NotCounted, Row, in_turns, least_ratio
from bench.web_data import SEED, event_of
from projections.projector import catch_up
from service.console import progress
from service.ingest.append_queue import EVENTS_PER_COMMIT
from service.ingest.event import Event

TIMES = 100
# Days with events. The newest is over, and the oldest is still within the retention after midnight.
DAYS = RETENTION_DAYS - 1
# The other days hold this fraction (1/50) of the filled day's events.
LATE_SHARE = 50
# Batches of the warm-up and of a sample. Samples of late events are small, so that they do not fill the small days.
WARM_UP = 100
IN_ORDER = 20
LATE = 10
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Events that one filling statement appends.
CHUNK = 50_000
EVENTS_PER_SESSION = 14
SESSIONS_AT_A_TIME = 1_000


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on two logs of their own, and verify both at the end."""
    size = grounds.size
    per_day = max(size.events // RETENTION_DAYS, 1)
    async with AsyncExitStack() as opened:
        small, large = [Log(await opened.enter_async_context(empty(size, WEB)), size.runs) for _ in range(2)]
        await small.fill(per_day)
        await large.fill(per_day * TIMES)
        for log in (small, large):
            await log.warm_up()
        in_order = await in_turns(size.runs, {"small": small.in_order, "large": large.in_order})
        late = await in_turns(size.runs, {"small": small.late, "large": large.late})
        await small.check()
        await large.check()
    what = f"append, batches of {EVENTS_PER_COMMIT}, model: {per_day * TIMES:,} events a day"
    peer = f"model: {per_day:,} events a day"
    goal = least_ratio(0.9)
    other_days = f"late events of {DAYS} days, all but one filled to 1/{LATE_SHARE}"
    rows = [
        Row(f"{what}, in arrival order", EVENTS_PER_SECOND, in_order["large"], peer, in_order["small"], goal),
        Row(f"{what}, {other_days}", EVENTS_PER_SECOND, late["large"], peer, late["small"]),
    ]
    return [replace(row, data="synthetic") for row in rows]


class Log:
    """A log with filled days, and the steps that append to it. A step returns events stored per second."""

    def __init__(self, ground: Ground, runs: int) -> None:
        self._ground = ground
        self._held = 0
        # Yesterday is over, so that it can be filled up to its last hour at any time of the day.
        self._day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY
        apart = HOUR / ((WARM_UP + runs * IN_ORDER) * EVENTS_PER_COMMIT)
        self._in_order = _events(SEED, lambda number, _: self._day + 23 * HOUR + number * apart)
        self._late = _events(SEED + 1, lambda _, chance: self._day + DAY - chance.random() * DAYS * DAY)

    async def fill(self, per_day: int) -> None:
        """Fill yesterday with `per_day` events up to its last hour, and each day before it with a fraction of that."""
        await self._fill(self._day, 23 * HOUR, per_day)
        for before in range(1, DAYS):
            await self._fill(self._day - before * DAY, DAY, max(per_day // LATE_SHARE, 1))
        await self._ground.database.rows(self._ground.statements.vacuum)
        await self._ground.database.rows(self._ground.statements.checkpoint)

    async def in_order(self) -> float:
        """Append events of the day's last hour."""
        return await self._append(self._in_order, IN_ORDER)

    async def late(self) -> float:
        """Append events of any day."""
        return await self._append(self._late, LATE)

    async def warm_up(self) -> None:
        """Append until most pages have been logged once since the checkpoint, and caches are warm."""
        await self._append(self._in_order, WARM_UP)

    async def check(self) -> None:
        """Raise NotCounted unless the log verifies and holds every appended event."""
        await catch_up(self._ground.database)
        if await self._ground.verify() != self._held:
            raise NotCounted(f"the log does not hold {self._held:,} events")

    async def _fill(self, start: datetime, lasting: timedelta, events: int) -> None:
        database = self._ground.database
        with progress(f"bench: fill {start:%Y-%m-%d}", events, "events") as meter:
            for first in range(0, events, CHUNK):
                count = min(CHUNK, events - first)
                moment = start + first * (lasting / events)
                place = (moment, lasting / events, self._held, count)
                if await database.rows(self._ground.statements.fill_log, RETENTION_DAYS, *place):
                    raise NotCounted("an append did not store all of its events")
                self._held += count
                meter.advance(count)

    async def _append(self, events: Iterator[Event], batches: int) -> float:
        rate = await self._ground.append_batches(events, batches)
        self._held += batches * EVENTS_PER_COMMIT
        return rate


def _events(seed: int, moment: Callable[[int, random.Random], datetime]) -> Iterator[Event]:
    """Yield events without end. Neighbours belong to different sessions, as when many sessions are active at once.

    moment: gives the timestamp of an event, from its number and a random generator.
    """
    chance = random.Random(seed)
    number = 0
    while True:
        sessions = [
            (f"{chance.getrandbits(64):016x}", f"user_{chance.randrange(20_000)}" if place % 10 < 3 else None)
            for place in range(SESSIONS_AT_A_TIME)
        ]
        for session, user in sessions * EVENTS_PER_SESSION:
            yield event_of(moment(number, chance), session, user, chance)
            number += 1
