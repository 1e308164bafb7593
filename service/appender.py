"""Group commit: whatever arrived while the last commit was running goes into the next one (R9).

There is no timer: an event that arrives alone is committed alone, at once. What waits is bounded in events and bytes;
beyond that, and while the database is away, events are refused with 503 at once and nothing is kept.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from service.errors import unavailable
from service.events import Event
from sql.database import Database
from sql.days import make_days
from sql.errors import DatabaseError, MissingDay, Refused, Unavailable

STORED = "stored"
REFUSED = "refused"
UNAVAILABLE = "unavailable"

# Events of one transaction: enough to make the commit cheap, few enough to hold the head's lock for milliseconds.
EVENTS_PER_COMMIT = 500
MOST_EVENTS = 50_000
MOST_BYTES = 64 * 1024 * 1024
# A commit whose outcome is unknown is repeated for so long before its senders are told to send again.
REPEAT_SECONDS = 3.0
PROBE_SECONDS = 0.25

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Part:
    """Events of one request that go to one shard together, and what became of each.

    Outcomes are those of append_events, STORED, REFUSED (by PostgreSQL) and UNAVAILABLE (not known to be stored).
    """

    events: Sequence[Event]
    outcomes: asyncio.Future[list[str]]


@dataclass(slots=True)
class Queue:
    """What waits for one shard."""

    parts: deque[Part] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> list[Part]:
        """Remove and return the oldest parts, as many as fit into one commit, at least one."""
        taken = [self.parts.popleft()]
        room = EVENTS_PER_COMMIT - len(taken[0].events)
        while self.parts and len(self.parts[0].events) <= room:
            room -= len(self.parts[0].events)
            taken.append(self.parts.popleft())
        if not self.parts:
            self.arrived.clear()
        return taken


class Appender:
    """Appends events durably, many requests in one commit."""

    def __init__(self, database: Database, retention_days: int, clock: datetime | None = None) -> None:
        self.available = False
        self.events_waiting = 0
        self.bytes_waiting = 0
        self._database = database
        self._retention_days = retention_days
        self._clock = clock
        self._queues: list[Queue] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._told_away = False

    async def start(self) -> None:
        """Begin to work; the database need not be there yet."""
        self._tasks.append(asyncio.create_task(self._keep_available()))

    async def close(self) -> None:
        """Take no more, commit what waits, and stop."""
        self._closing = True
        while self.events_waiting and self.available:  # noqa: ASYNC110  # two counters, no event
            await asyncio.sleep(0.005)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._give_up()

    def hold_bytes(self, count: int) -> None:
        """Count bytes of a body as waiting until `release_bytes`. Raises ApiError 503 when that would be too many."""
        if self.bytes_waiting + count > MOST_BYTES:
            raise unavailable("too much is waiting to be stored; send it again")
        self.bytes_waiting += count

    def release_bytes(self, count: int) -> None:
        """Take back what `hold_bytes` counted."""
        self.bytes_waiting -= count

    async def append(self, events: Sequence[Event]) -> list[str]:
        """Append events; return the outcome of each, after the commit.

        Raises ApiError 503, having kept nothing, when the queue is full or the database away.
        """
        self._check_room(len(events))
        placed = self._place(events)
        await asyncio.gather(*(part.outcomes for part, _ in placed))
        outcomes = [""] * len(events)
        for part, places in placed:
            for place, outcome in zip(places, part.outcomes.result(), strict=True):
                outcomes[place] = outcome
        return outcomes

    async def append_one(self, event: Event) -> str:
        """Append one event; otherwise as `append`."""
        self._check_room(1)
        return (await self._put(self._shard_of(event), [event]).outcomes)[0]

    def _check_room(self, events: int) -> None:
        if self._closing:
            raise unavailable("the service is stopping; send it again")
        if not self.available:
            raise unavailable("the database is away; send it again")
        if self.events_waiting + events > MOST_EVENTS:
            raise unavailable("too many events are waiting to be stored; send it again")

    def _place(self, events: Sequence[Event]) -> list[tuple[Part, list[int]]]:
        places: dict[int, list[int]] = {}
        for place, event in enumerate(events):
            places.setdefault(self._shard_of(event), []).append(place)
        return [
            (self._put(shard, [events[place] for place in some]), some)
            for shard, of_shard in places.items()
            for some in _chunks(of_shard)
        ]

    def _shard_of(self, event: Event) -> int:
        return shard_of(event.session_id, len(self._queues))

    def _put(self, shard: int, events: Sequence[Event]) -> Part:
        part = Part(events, asyncio.get_running_loop().create_future())
        queue = self._queues[shard]
        queue.parts.append(part)
        queue.arrived.set()
        self.events_waiting += len(events)
        return part

    def _settle(self, part: Part, outcomes: list[str]) -> None:
        self.events_waiting -= len(part.events)
        if not part.outcomes.done():  # its sender may have gone
            part.outcomes.set_result(outcomes)

    async def _keep_available(self) -> None:
        """Look for the database whenever it is away; learn the shards the first time."""
        while True:
            if not self.available:
                await self._probe()
            await asyncio.sleep(PROBE_SECONDS)

    async def _probe(self) -> None:
        try:
            shards = await self._database.rows(self._database.statements.list_shards)
        except DatabaseError as error:
            if not self._told_away:
                log.warning("the database is away", error=str(error))
                self._told_away = True
            return
        if not self._queues:
            self._queues = [Queue() for _ in shards]
            self._tasks += [asyncio.create_task(self._serve(shard)) for shard in range(len(shards))]
        self.available = bool(shards)
        if self.available and self._told_away:
            log.info("the database is back")
            self._told_away = False

    async def _serve(self, shard: int) -> None:
        queue = self._queues[shard]
        while True:
            await queue.arrived.wait()
            parts = queue.take()
            events = [event for part in parts for event in part.events]
            outcomes = iter(await self._store_or_tell(shard, events))
            for part in parts:
                self._settle(part, [next(outcomes) for _ in part.events])

    async def _store_or_tell(self, shard: int, events: Sequence[Event]) -> list[str]:
        """Store events; a fault of ours costs these events, whose senders are told, never the appender."""
        try:
            return await self._store(shard, events)
        except Exception:
            log.exception("append failed by a fault of the service", shard=shard, events=len(events))
            return [UNAVAILABLE] * len(events)

    async def _store(self, shard: int, events: Sequence[Event]) -> list[str]:
        """Commit events, repeating an unknown outcome with the same ids; return the outcome of each."""
        deadline = asyncio.get_running_loop().time() + REPEAT_SECONDS
        while True:
            try:
                return await self._append(shard, events)
            except Refused as error:
                return await self._isolate(shard, events, error)
            except Unavailable as error:
                # Only what may pass by itself is repeated; anything else would fail again in the same way.
                log.warning("append failed", shard=shard, events=len(events), error=str(error))
                if asyncio.get_running_loop().time() >= deadline:
                    self._give_up()
                    return [UNAVAILABLE] * len(events)
                await asyncio.sleep(PROBE_SECONDS)

    async def _append(self, shard: int, events: Sequence[Event]) -> list[str]:
        columns = [list(column) for column in zip(*events, strict=True)]
        arguments = (shard, self._retention_days, self._clock, *columns)
        try:
            rows = await self._database.rows(self._database.statements.append_events, *arguments)
        except MissingDay:
            await make_days(self._database, self._retention_days, self._clock)
            rows = await self._database.rows(self._database.statements.append_events, *arguments)
        outcomes = [STORED] * len(events)
        for row in rows:
            outcomes[row["ordinal"] - 1] = row["outcome"]
        return outcomes

    async def _isolate(self, shard: int, events: Sequence[Event], error: Refused) -> list[str]:
        """Find what PostgreSQL refuses by halves. Checks before the append should have caught it: this is the net."""
        if len(events) == 1:
            log.error("PostgreSQL refuses an event", event_id=events[0].event_id, error=str(error))
            return [REFUSED]
        middle = len(events) // 2
        return await self._store(shard, events[:middle]) + await self._store(shard, events[middle:])

    def _give_up(self) -> None:
        """Tell all that waits that it is not known to be stored, and take no more until the database is back."""
        self.available = False
        for queue in self._queues:
            while queue.parts:
                part = queue.parts.popleft()
                self._settle(part, [UNAVAILABLE] * len(part.events))
            queue.arrived.clear()


def _chunks(places: list[int]) -> list[list[int]]:
    return [places[start : start + EVENTS_PER_COMMIT] for start in range(0, len(places), EVENTS_PER_COMMIT)]


def shard_of(session_id: str, shards: int) -> int:
    """Return the shard of a session, from 0: stable, whatever the process or platform."""
    return zlib.crc32(session_id.encode()) % shards
