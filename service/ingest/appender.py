"""Group commit: events that arrive while a commit runs go into the next one together (R9).

There is no timer: an event that arrives alone is committed alone, at once. The admission bounds how much waits.

A shard closes when a commit does not get through in time, whatever the reason: the database is away, full, read-only or
locked, or it hangs. A closed shard answers the senders of waiting events at once and refuses new events, while the
commit under way continues. The shard opens when a commit gets through: that one, or a trial commit without events.
When a shard closes, the idle ones are tried in the same way, because the fault may be theirs, too.

Each shard has a queue, from the first event for it on. One admission bounds what waits for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import structlog

from service.ingest.admission import Admission
from service.ingest.append_queue import Part, divided, shard_among
from service.ingest.disk_guard import DiskGuard
from service.ingest.event import Event
from service.ingest.log_writer import LogWriter
from service.ingest.outcomes import DISK_FULL, NOT_KNOWN, REFUSED, UNAVAILABLE
from service.ingest.queues import Queues
from sql.database import Database
from sql.errors import DatabaseError, DiskFull, Refused, Unavailable

# A commit that takes longer, repetitions included, closes its shard. A slow disk takes less.
REPEAT_SECONDS = 3.0
PROBE_SECONDS = 0.25
# How long a shard stays closed when the disk is full. A trial without events cannot tell, because it takes no room.
DISK_FULL_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Appender:
    """Appends events durably, many requests in one commit.

    admission: how much waits, and whether more may. opened_day: the day of all events, which is open for history.
    site: the number of the site of events that come without shards. new_names: how many new names of each kind a site
    may have in an hour, None for any number.
    """

    def __init__(
        self,
        database: Database,
        retention_days: int,
        clock: datetime | None = None,
        disk: DiskGuard | None = None,
        opened_day: date | None = None,
        site: int = 0,
        new_names: int | None = None,
    ) -> None:
        self.admission = Admission(disk)
        self._writer = LogWriter(database, retention_days, clock, opened_day, new_names)
        self._site = site
        # The shards of the site, empty until the database has told them.
        self._shards: Sequence[int] = ()
        self._queues = Queues(self.admission)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def available(self) -> bool:
        """Whether any shard takes events."""
        return self.admission.available

    @property
    def stuck(self) -> bool:
        """Whether the shards are known, but none takes events now."""
        return bool(self._queues) and not self.available

    @property
    def closed_shards(self) -> list[int]:
        """The shards that take no events now."""
        return self._queues.closed

    async def start(self) -> None:
        """Start the appender. The database may still be away."""
        self._tasks.append(asyncio.create_task(self._begin()))

    async def wait_until_available(self, seconds: float) -> None:
        """Return when any shard takes events, or after `seconds`."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not self.available and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Refuse new events, commit those that wait, and stop. A commit that hangs delays it until its shard closes."""
        self.admission.stopping = True
        while self.admission.events:  # noqa: ASYNC110  # a counter, no event
            await asyncio.sleep(0.005)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.admission.available = False

    async def append(self, events: Sequence[Event], shards: Sequence[int] = ()) -> list[str]:
        """Append events; return the outcome of each, after the commit.

        shards: those of the events' site, empty for the appender's own site. Raises QueueFull, DiskFull, NotReady when
        no shard takes events, or Stopping. Then it has kept no event.
        """
        shards = self._begun(shards)
        self.admission.check_room(len(events))
        placed = self._place(events, shards)
        await asyncio.gather(*(part.outcomes for part, _ in placed))
        outcomes = [""] * len(events)
        for part, places in placed:
            for place, outcome in zip(places, part.outcomes.result(), strict=True):
                outcomes[place] = outcome
        return outcomes

    async def append_one(self, event: Event, shards: Sequence[int] = ()) -> str:
        """Append one event, like `append`."""
        shards = self._begun(shards)
        self.admission.check_room(1)
        return (await self._queues.put(shard_among(shards, event), [event]).outcomes)[0]

    def _begun(self, shards: Sequence[int]) -> Sequence[int]:
        """Return the shards, or those of the appender's site, each with its queue."""
        for shard in shards:
            if shard not in self._queues and not self.admission.stopping:
                # While no shard takes events, a new one must first show that it does.
                self._begin_queue(shard, opens=self.admission.available)
        return shards or self._shards

    def _begin_queue(self, shard: int, *, opens: bool) -> None:
        self._queues.add(shard, opens=opens)
        self._tasks.append(asyncio.create_task(self._serve(shard)))

    def _place(self, events: Sequence[Event], shards: Sequence[int]) -> list[tuple[Part, list[int]]]:
        return [
            (self._queues.put(shard, [events[place] for place in places]), places)
            for shard, places in divided(events, shards)
        ]

    async def _begin(self) -> None:
        """Ask the database for the shards of the site until it answers, then serve each."""
        told = False
        while not (shards := await self._read_shards(quietly=told)):
            told = True
            await asyncio.sleep(PROBE_SECONDS)
        works = await asyncio.gather(*(self._writer.can_append(shard) for shard in shards))
        self._shards = shards
        for shard, opens in zip(shards, works, strict=True):
            if shard not in self._queues:
                self._begin_queue(shard, opens=opens)

    async def _read_shards(self, *, quietly: bool) -> list[int]:
        try:
            return await self._writer.shards_of(self._site)
        except DatabaseError as error:
            if not quietly:
                log.warning("the database is away", error=str(error))
            return []

    async def _serve(self, shard: int) -> None:
        queue = self._queues[shard]
        while True:
            if not queue.open:
                await asyncio.sleep(DISK_FULL_SECONDS if queue.refusal == DISK_FULL else PROBE_SECONDS)
                if await self._writer.can_append(shard):
                    self._queues.open(shard)
                continue
            await queue.due.wait()
            if parts := queue.take():
                await self._commit(shard, parts)
            elif queue.open:
                await self._try(shard)

    async def _try(self, shard: int) -> None:
        """Close an open shard that takes no appends. Its events wait meanwhile."""
        with self._closing_late(shard):
            works = await self._writer.can_append(shard)
        if works:
            self._queues.open(shard)
        elif self._queues[shard].open:
            self._queues.close(shard, UNAVAILABLE)

    async def _commit(self, shard: int, parts: list[Part]) -> None:
        """Store events. Settle their parts even when cancelled."""
        events = [event for part in parts for event in part.events]
        outcomes = [UNAVAILABLE] * len(events)
        try:
            with self._closing_late(shard):
                outcomes = await self._store_or_tell(shard, events)
        finally:
            rest = iter(outcomes)
            for part in parts:
                self._queues.settle(part, [next(rest) for _ in part.events])
        if NOT_KNOWN.isdisjoint(outcomes):
            self._queues.open(shard)

    @contextmanager
    def _closing_late(self, shard: int) -> Iterator[None]:
        """Close the shard when the block takes longer than REPEAT_SECONDS."""
        loop = asyncio.get_running_loop()
        closing = loop.call_later(REPEAT_SECONDS, self._queues.close, shard, UNAVAILABLE)
        try:
            yield
        finally:
            closing.cancel()

    async def _store_or_tell(self, shard: int, events: Sequence[Event]) -> list[str]:
        """Store events. A fault of the service fails only these events, and their senders learn of it."""
        try:
            return await self._store(shard, events)
        except Exception:
            log.exception("the service failed to append events", shard=shard, events=len(events))
            return [UNAVAILABLE] * len(events)

    async def _store(self, shard: int, events: Sequence[Event]) -> list[str]:
        """Commit events; return the outcome of each. Repeat a commit whose outcome is unknown, with the same ids."""
        while True:
            try:
                return await self._writer.append(shard, events)
            except Refused as error:
                return await self._isolate(shard, events, error)
            except DiskFull as error:
                log.warning("append failed", shard=shard, events=len(events), error=str(error))
                self._queues.close(shard, DISK_FULL)
                return [DISK_FULL] * len(events)
            except Unavailable as error:
                # Repeat only after errors that may pass by themselves. Others would fail again in the same way.
                log.warning("append failed", shard=shard, events=len(events), error=str(error))
                await asyncio.sleep(PROBE_SECONDS)
                if not self._queues[shard].open:
                    return [UNAVAILABLE] * len(events)

    async def _isolate(self, shard: int, events: Sequence[Event], error: Refused) -> list[str]:
        """Find the event that PostgreSQL refuses, by halves. A safety net: earlier checks should have caught it."""
        if len(events) == 1:
            log.error("PostgreSQL refuses an event", event_id=events[0].event_id, error=str(error))
            return [REFUSED]
        middle = len(events) // 2
        return await self._store(shard, events[:middle]) + await self._store(shard, events[middle:])
