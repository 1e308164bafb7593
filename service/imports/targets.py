"""The targets of an import's events: the log or, in a dry run, a judge that stores nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from service.errors import DiskFull, NotReady, QueueFull
from service.imports.digest_counts import DigestCounts
from service.ingest.append_queue import shard_of
from service.ingest.appender import Appender
from service.ingest.disk_guard import DiskGuard
from service.ingest.event import Event
from service.ingest.outcomes import DISK_FULL, DUPLICATE, ID_REUSED, NOT_KNOWN, STORED, UNAVAILABLE, not_known
from sql.database import Database
from sql.errors import Unavailable

# Returns an outcome of service/ingest/outcomes.py for each event.
Target = Callable[[Sequence[Event]], Coroutine[None, None, list[str]]]


@dataclass(frozen=True, slots=True)
class Log:
    """The log to import into.

    clock: the time to judge events by, None for the database's clock. patience: seconds that the database may be away,
    or its disk full. disk: the guard of the embedded server's disk. opened_day: the day of all events, which is open
    for history. site: the number of the events' site.
    """

    database: Database
    retention_days: int
    clock: datetime | None = None
    patience: float = 60.0
    disk: DiskGuard | None = None
    opened_day: date | None = None
    site: int = 0


@asynccontextmanager
async def storing(log: Log) -> AsyncIterator[Target]:
    """Give a target that appends like HTTP does. It raises sql.errors.Unavailable when the log's patience ends."""
    appender = Appender(log.database, log.retention_days, log.clock, log.disk, log.opened_day, log.site)
    await appender.start()

    async def store(events: Sequence[Event]) -> list[str]:
        return await _store(appender, events, log.patience)

    try:
        # Wait first, because refused batches retry each on its own and could lose the order of the file.
        await appender.wait_until_available(log.patience)
        yield store
    finally:
        await appender.close()


async def _store(appender: Appender, events: Sequence[Event], patience: float) -> list[str]:
    outcomes = [UNAVAILABLE] * len(events)
    deadline = asyncio.get_running_loop().time() + patience
    while places := [place for place, outcome in enumerate(outcomes) if outcome in NOT_KNOWN]:
        try:
            answers = await appender.append([events[place] for place in places])
        except (DiskFull, QueueFull, NotReady) as error:
            answers = [not_known(error)] * len(places)
        for place, answer in zip(places, answers, strict=True):
            outcomes[place] = answer
        if not NOT_KNOWN.isdisjoint(answers):
            if asyncio.get_running_loop().time() >= deadline:
                raise _given_up(answers, patience)
            # While the database is away, the appender itself looks for it. Any other refusal soon passes.
            await asyncio.sleep(1.0 if appender.available else 0.01)
    return outcomes


def _given_up(answers: Sequence[str], patience: float) -> Unavailable:
    if DISK_FULL in answers:
        return Unavailable(f"the disk of the database has been full for {patience:.0f} s: free space and run it again")
    return Unavailable(f"the database has taken no events for {patience:.0f} s; see the log above")


@asynccontextmanager
async def judging(log: Log) -> AsyncIterator[Target]:
    """Give a target that stores nothing and returns the outcomes that storing would have."""
    rows = await log.database.rows(log.database.statements.list_shards_of_site, log.site)
    judge = _Judge(log, [row["shard"] for row in rows])
    try:
        yield judge.judge
    finally:
        judge.close()


class _Judge:
    def __init__(self, log: Log, shards: Sequence[int]) -> None:
        self._log = log
        self._shards = shards
        self._offered = DigestCounts()
        self._turn = asyncio.Lock()

    def close(self) -> None:
        self._offered.close()

    async def judge(self, events: Sequence[Event]) -> list[str]:
        # In the order of the file, because the log would store the first of equal events and call the next a duplicate.
        async with self._turn:
            outcomes = [""] * len(events)
            for shard in self._shards:
                places = [place for place, event in enumerate(events) if self._shard_of(event) == shard]
                of_shard = await self._judge(shard, [events[place] for place in places])
                for place, outcome in zip(places, of_shard, strict=True):
                    outcomes[place] = outcome
            return outcomes

    def _shard_of(self, event: Event) -> int:
        return self._shards[shard_of(event.session_id, len(self._shards))]

    async def _judge(self, shard: int, events: Sequence[Event]) -> list[str]:
        database = self._log.database
        columns = zip(*((event.event_id, event.session_id, event.timestamp) for event in events), strict=True)
        arguments = (shard, self._log.retention_days, self._log.clock, *map(list, columns))
        rows = await database.rows(database.statements.judge_events, *arguments) if events else []
        refused = {row["ordinal"] - 1: row["outcome"] for row in rows}
        return [refused.get(place) or self._among_offered(shard, event) for place, event in enumerate(events)]

    def _among_offered(self, shard: int, event: Event) -> str:
        place = sha256(repr((shard, event.timestamp, event.event_id)).encode()).digest()
        holder = sha256(place + event.session_id.encode()).digest()
        if self._offered.add(place) == 1:
            self._offered.add(holder)
            return STORED
        return DUPLICATE if self._offered.met(holder) else ID_REUSED
