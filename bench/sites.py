"""Two hundred sites, each with a few events, beside one site with all of them.

Both logs take the same events, in turns. What is measured is the projector's work: folding what just came, which is a
little of each site, and a pass over a log in which nothing is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

from bench.ground import RETENTION_DAYS, WEB, Ground, Grounds, Size, empty
from bench.rows import MILLISECONDS, NotCounted, Row, in_turns, least_ratio
from projections.due_hours import verify_due
from projections.projector import catch_up, step, tidy
from service.access.site_changes import add_site
from service.console import progress
from service.ingest.append_queue import EVENTS_PER_COMMIT
from service.ingest.appender import Appender
from service.ingest.event import Event
from service.ingest.outcomes import STORED

SITES = 200
# Events of a site in each sample.
AT_ONCE = 10


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on two logs of their own, and verify both at the end."""
    size = grounds.size
    async with AsyncExitStack() as opened:
        one = await opened.enter_async_context(_log(size, 1))
        many = await opened.enter_async_context(_log(size, SITES))
        for log in (one, many):
            await log.fill(size.events)
        fold = await in_turns(size.runs, {"one": one.fold, "many": many.fold})
        for log in (one, many):
            await log.settle()
        idle = await in_turns(size.runs, {"one": one.idle, "many": many.idle})
        for log in (one, many):
            await log.ground.verify()
    each, of_one = f"{SITES} sites", "one site"
    return [
        Row(f"fold {SITES * AT_ONCE:,} events, {each}", MILLISECONDS, fold["many"], of_one, fold["one"]),
        Row(
            f"projector's pass with nothing due, {each}",
            *(MILLISECONDS, idle["many"], of_one, idle["one"], least_ratio(0.5, or_most=250)),
        ),
    ]


@dataclass(slots=True)
class Log:
    """A log, the shards of each of its sites, and the events that are left for it."""

    ground: Ground
    appender: Appender
    sites: Sequence[Sequence[int]]
    events: Iterator[Event]

    async def fill(self, events: int) -> None:
        """Append events, as many to each site, and fold them."""
        with progress(f"bench: append, {len(self.sites)} sites", events, "events") as meter:
            for _ in range(events // (SITES * AT_ONCE)):
                await self._append()
                meter.advance(SITES * AT_ONCE)
        await catch_up(self.ground.database)

    async def fold(self) -> float:
        """Append a little to each site, and fold it; return the milliseconds of the fold."""
        await self._append()
        return await _milliseconds(catch_up(self.ground.database))

    async def settle(self) -> None:
        """Verify all that is due."""
        while await verify_due(self.ground.database):
            pass

    async def idle(self) -> float:
        """Look for work where there is none; return the milliseconds."""
        return await _milliseconds(self._idle())

    async def _idle(self) -> None:
        database = self.ground.database
        if await step(database) or await verify_due(database):
            raise NotCounted("something was due")
        await tidy(database, RETENTION_DAYS)

    async def _append(self) -> None:
        batch = list(islice(self.events, SITES * AT_ONCE))
        share = len(batch) // len(self.sites)
        parts = [
            self.appender.append(batch[place * share : (place + 1) * share], shards)
            for place, shards in enumerate(self.sites)
        ]
        for at in range(0, len(parts), EVENTS_PER_COMMIT):
            for outcomes in await asyncio.gather(*parts[at : at + EVENTS_PER_COMMIT]):
                if {*outcomes} != {STORED}:
                    raise NotCounted(f"an append did not store all of its events: {sorted({*outcomes})}")


@asynccontextmanager
async def _log(size: Size, sites: int) -> AsyncIterator[Log]:
    async with empty(size, WEB) as ground:
        added = [await add_site(ground.database, f"site-{number}") for number in range(sites)]
        appender = Appender(ground.database, RETENTION_DAYS)
        await appender.start()
        await appender.wait_until_available(60)
        try:
            # More than the log takes, because samples need some, too.
            events = WEB.events(2 * size.events, size.hours)
            yield Log(ground, appender, [site.shards for site in added], events)
        finally:
            await appender.close()


async def _milliseconds(work: Awaitable[object]) -> float:
    started = perf_counter()
    await work
    return (perf_counter() - started) * 1_000
