"""Group commit: events that arrive while a commit runs go into the next one together (R9).

There is no timer: an event that arrives alone is committed alone, at once. The admission bounds how much waits.

A shard closes when a commit does not get through in time, whatever the reason: the database is away, full, read-only or
locked, or it hangs. A closed shard answers the senders of waiting events at once and refuses new events, while the
commit under way continues. The shard opens when a commit gets through: that one, or a trial commit without events.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from datetime import datetime

import structlog

from service.ingest.admission import Admission
from service.ingest.append_queue import Part, Queue, commits
from service.ingest.disk_guard import DiskGuard
from service.ingest.event import Event
from service.ingest.log_writer import LogWriter
from service.ingest.outcomes import DISK_FULL, NOT_KNOWN, REFUSED, UNAVAILABLE
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

    admission: how much waits, and whether more may.
    """

    def __init__(
        self,
        database: Database,
        retention_days: int,
        clock: datetime | None = None,
        disk: DiskGuard | None = None,
    ) -> None:
        self.admission = Admission(disk)
        self._writer = LogWriter(database, retention_days, clock)
        self._queues: list[Queue] = []
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
        return [shard for shard, queue in enumerate(self._queues) if not queue.open]

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

    async def append(self, events: Sequence[Event]) -> list[str]:
        """Append events; return the outcome of each, after the commit.

        Raises QueueFull, DiskFull, NotReady when no shard takes events, or Stopping. Then it has kept no event.
        """
        self.admission.check_room(len(events))
        placed = self._place(events)
        await asyncio.gather(*(part.outcomes for part, _ in placed))
        outcomes = [""] * len(events)
        for part, places in placed:
            for place, outcome in zip(places, part.outcomes.result(), strict=True):
                outcomes[place] = outcome
        return outcomes

    async def append_one(self, event: Event) -> str:
        """Append one event, like `append`."""
        self.admission.check_room(1)
        return (await self._put(self._shard_of(event), [event]).outcomes)[0]

    def _place(self, events: Sequence[Event]) -> list[tuple[Part, list[int]]]:
        places: dict[int, list[int]] = {}
        for place, event in enumerate(events):
            places.setdefault(self._shard_of(event), []).append(place)
        return [
            (self._put(shard, [events[place] for place in some]), some)
            for shard, of_shard in places.items()
            for some in commits(events, of_shard)
        ]

    def _shard_of(self, event: Event) -> int:
        return shard_of(event.session_id, len(self._queues))

    def _put(self, shard: int, events: Sequence[Event]) -> Part:
        part = Part(events, asyncio.get_running_loop().create_future())
        queue = self._queues[shard]
        self.admission.events += len(events)
        if queue.open:
            queue.put(part)
        else:
            self._settle(part, [queue.refusal] * len(events))
        return part

    def _settle(self, part: Part, outcomes: list[str]) -> None:
        self.admission.events -= len(part.events)
        part.settle(outcomes)

    async def _begin(self) -> None:
        """Ask the database for its shards until it answers, then serve each."""
        told = False
        while not (shards := await self._count_shards(quietly=told)):
            told = True
            await asyncio.sleep(PROBE_SECONDS)
        works = await asyncio.gather(*(self._writer.can_append(shard) for shard in range(shards)))
        self._queues = [Queue(each) for each in works]
        self._tasks += [asyncio.create_task(self._serve(shard)) for shard in range(shards)]
        self.admission.available = any(works)

    async def _count_shards(self, *, quietly: bool) -> int:
        try:
            return await self._writer.shards()
        except DatabaseError as error:
            if not quietly:
                log.warning("the database is away", error=str(error))
            return 0

    async def _serve(self, shard: int) -> None:
        queue = self._queues[shard]
        while True:
            if queue.open:
                await queue.arrived.wait()
                await self._commit(shard, queue.take())
                if queue.refusal == DISK_FULL:
                    await asyncio.sleep(DISK_FULL_SECONDS)
            elif await self._writer.can_append(shard):
                self._open_shard(shard)
            else:
                await asyncio.sleep(PROBE_SECONDS)

    async def _commit(self, shard: int, parts: list[Part]) -> None:
        """Store events. Settle their parts even when cancelled."""
        events = [event for part in parts for event in part.events]
        outcomes = [UNAVAILABLE] * len(events)
        closing = asyncio.get_running_loop().call_later(REPEAT_SECONDS, self._close_shard, shard, UNAVAILABLE)
        try:
            outcomes = await self._store_or_tell(shard, events)
        finally:
            closing.cancel()
            rest = iter(outcomes)
            for part in parts:
                self._settle(part, [next(rest) for _ in part.events])
        if NOT_KNOWN.isdisjoint(outcomes):
            self._open_shard(shard)

    def _open_shard(self, shard: int) -> None:
        if not self._queues[shard].open:
            log.info("events can be appended again", shard=shard)
            self._queues[shard].reopen()
            self._tell_admission()

    def _close_shard(self, shard: int, refusal: str) -> None:
        """Settle everything that waits as not known to be stored. Refuse events until a commit gets through."""
        log.warning("events cannot be appended", shard=shard, waiting=self.admission.events)
        for part in self._queues[shard].close(refusal):
            self._settle(part, [refusal] * len(part.events))
        self._tell_admission()

    def _tell_admission(self) -> None:
        self.admission.available = any(queue.open for queue in self._queues)
        self.admission.disk_full = all(queue.refusal == DISK_FULL for queue in self._queues)

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
                self._close_shard(shard, DISK_FULL)
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


def shard_of(session_id: str, shards: int) -> int:
    """Return the shard of a session, from 0. It is the same in every process and on every platform."""
    return zlib.crc32(session_id.encode()) % shards
