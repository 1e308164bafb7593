"""Appending to a log that holds a hundred times as many events: a model, with the days filled beforehand.

An append reads and writes the partitions of its events' days, and the newest receipts. So what a hundred times as many
events change is how large those days are. A million events kept for 30 days are 33,333 a day, a hundred million are
3,333,300: two logs have a day of each size, filled up to its last hour, and the same events are appended to both in
turns.

For the second row events are late, and spread evenly over all days: the others are filled, too, but to a fiftieth, as
filling them takes long. Both logs are verified at the end, with all that fills them.

What the model leaves out: the memory that work on other days claims, and what follows a checkpoint. After it the first
change of a page logs the page in full, which a large day feels for some 50,000 events. They are the warm-up here: some
per cent of what arrives from one checkpoint to the next. Late events meet such pages nearly always, and are measured
so.
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
# Days with events, the newest of them over; none is so old that midnight would end its time.
DAYS = RETENTION_DAYS - 1
# Of a day's events, the other days have this part.
LATE_SHARE = 50
# Batches of a warm-up, and of one sample; few late ones, or they would fill the small days.
WARM_UP = 100
IN_ORDER = 20
LATE = 10
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Events of one statement that fills.
CHUNK = 50_000
EVENTS_PER_SESSION = 14
SESSIONS_AT_A_TIME = 1_000


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on two logs of their own, which are verified like all others."""
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
    """A log whose days are filled, and appends to it; a step gives how many events it stored a second."""

    def __init__(self, ground: Ground, runs: int) -> None:
        self._ground = ground
        self._held = 0
        # Yesterday is over, so it can be filled up to its last hour at any time of the day.
        self._day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY
        apart = HOUR / ((WARM_UP + runs * IN_ORDER) * EVENTS_PER_COMMIT)
        self._in_order = _events(SEED, lambda number, _: self._day + 23 * HOUR + number * apart)
        self._late = _events(SEED + 1, lambda _, chance: self._day + DAY - chance.random() * DAYS * DAY)

    async def fill(self, per_day: int) -> None:
        """Fill the day that is appended to in order, and to a small part those before it."""
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
        """Append until most pages were written once since the checkpoint, connections are open, catalogs cached."""
        await self._append(self._in_order, WARM_UP)

    async def check(self) -> None:
        """Raise NotCounted unless the log verifies, and holds what was appended."""
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
    """Give events without end; neighbours are of different sessions, as when many are active at once.

    moment: timestamp of an event, from its number and chance.
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
