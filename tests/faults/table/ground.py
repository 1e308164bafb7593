"""The place where faults of one kind are tried: a separate database, the acked events, and the final comparison."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import asyncpg

from projections.archive.kept_hours import KeptHours
from projections.hours import list_hours
from projections.projector import catch_up
from projections.verify import verify
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from service.ingest.log_writer import LogWriter
from service.ingest.outcomes import DUPLICATE, STORED
from sql.database import Database
from sql.days import make_days
from sql.embedded.share import EmbeddedServer
from sql.hourly import PROJECTION, RIGHT
from sql.migrate import migrate
from tests.conftest import execute
from tests.faults.table.table import Row
from tests.support import oracle
from tests.support.oracle import HOUR
from tests.support.projection import fresh

T = TypeVar("T")

RETENTION_DAYS = 7
DAY = timedelta(days=1)
OLD_DAYS = 1_000
SESSIONS = 2_000
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Trial:
    """The size of a trial.

    faults: the least number of faults. batch: events appended before each fault, or by each process. hours: the number
    of recent hours that batches go to in turn, so that each stays quick to verify; 0 puts each batch into its own day,
    long ago, oldest first. stride: only every stride-th statement boundary is cut.
    """

    faults: int
    batch: int
    shards: int = 1
    hours: int = 24
    stride: int = 1


@dataclass
class Ground:
    """A database of a server, and the acked events. No fault cuts the connections of `database`.

    archive: the folder of the archive. opened: what ends after the comparison.
    """

    server: EmbeddedServer
    url: str
    folder: Path
    row: Row
    database: Database
    trial: Trial
    archive: Path
    opened: ExitStack
    acked: dict[str, Event] = field(default_factory=dict)
    batches: int = 0
    last: list[Event] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)
    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(minute=0, second=0, microsecond=0))

    def next_hour(self) -> datetime:
        """Return the hour for the next batch."""
        self.batches += 1
        if self.long_ago:
            return self.start - OLD_DAYS * DAY + self.batches * DAY
        return self.start - self.batches % self.trial.hours * HOUR

    @property
    def long_ago(self) -> bool:
        """Whether each batch goes to its own day."""
        return self.trial.hours == 0

    def events_of(self, hour: datetime) -> list[Event]:
        """Return a batch of new events of an hour, with some repeats of acked or of these events."""
        first = self.batches * self.trial.batch
        new = [self._event(number, hour) for number in range(first, first + self.trial.batch)]
        repeated = new if self.long_ago else self.last or new
        self.last = new
        return new + self.chance.sample(repeated, self.trial.batch // 50)

    def _event(self, number: int, hour: datetime) -> Event:
        chance = self.chance
        return Event(
            f"evt_{number}",
            f"session_{chance.randrange(SESSIONS)}",
            None,
            chance.choice(("page_viewed", "tool_used", "risk_mode_changed")),
            chance.choice(("Home", "Search", None)),
            None,
            '{"risk_mode": "high"}',
            True,
            hour + timedelta(microseconds=chance.randrange(3_600_000_000)),
        )

    async def append(self, clock: datetime | None = None) -> datetime:
        """Append a batch, by the database's clock or another; return its hour."""
        hour, events = await self.store(clock)
        self.ack(events)
        return hour

    async def store(self, clock: datetime | None = None) -> tuple[datetime, list[Event]]:
        """Append a batch and record no event as acked; return its hour and its events."""
        hour = self.next_hour()
        events = self.events_of(hour)
        placed: dict[int, list[Event]] = {}
        for event in events:
            placed.setdefault(shard_of(event.session_id, self.trial.shards), []).append(event)
        for shard, some in placed.items():
            await self._append(shard, some, hour if self.long_ago else clock)
        return hour, events

    async def _append(self, shard: int, events: Sequence[Event], clock: datetime | None) -> None:
        outcomes = await LogWriter(self.database, RETENTION_DAYS, clock).append(shard, events)
        if not set(outcomes) <= {STORED, DUPLICATE}:
            raise AssertionError(f"not acked: {outcomes[:3]}")

    def ack(self, events: Sequence[Event]) -> None:
        """Record events that were acked, also as duplicates."""
        self.acked |= {event.event_id: event for event in events}

    async def verify(self, since: datetime | None = None) -> None:
        """Verify one hour, or all, in the present state; every finding is a false alarm."""
        hours = await list_hours(self.database, since, since and since + HOUR)
        with KeptHours(self.archive) as kept:
            proofs = [proof async for proof in verify(self.database, hours, kept)]
        self.row.false_alarms += sum(proof.state not in RIGHT for proof in proofs)

    async def behind(self) -> list[asyncpg.Record]:
        """Return the checkpoints of the projection that have not reached the head of the log."""
        checkpoints = await self.database.rows(self.database.statements.list_checkpoints, PROJECTION)
        return [row for row in checkpoints if row["position"] != row["head"]]

    async def settle(self) -> None:
        """Fold the rest, compare log and rollups with the acked events, and verify all hours."""
        self.row.acked = len(self.acked)
        await catch_up(self.database)
        if await self.behind():
            raise AssertionError("the projection did not catch up with the log")
        await self._compare_log()
        await self._compare_rollups()
        await self.verify()

    async def _compare_log(self) -> None:
        """Compare the ids in the log, and the number of events of dropped days, with the acked events."""
        connection = await asyncpg.connect(self.url)
        try:
            live = await connection.fetch("select event_id, count(*) from events group by event_id")
            retired = await connection.fetch("select day, sum(events)::bigint from retired_days group by day")
        finally:
            await connection.close()
        found: Counter[str | date] = Counter({what: number for what, number in [*live, *retired] if number})
        days = {day for day, _ in retired}
        self.count_differences(Counter(_place(event, days) for event in self.acked.values()), found)

    async def _compare_rollups(self) -> None:
        """Compare all rollups with a brute-force count of the acked events."""
        hours = [oracle.start_of(event.timestamp, HOUR) for event in self.acked.values()]
        since, until = min(hours), max(hours) + HOUR
        found: oracle.Fresh = Counter()
        for shard in range(self.trial.shards):
            found += await fresh(self.database, since, until, shard=shard)
        self.count_differences(oracle.fresh(self.acked.values(), since, until), found)

    def count_differences(self, expected: Counter[T], found: Counter[T]) -> None:
        """Count what is expected and was not found as lost, and what was found besides as doubled."""
        self.row.lost += (expected - found).total()
        self.row.doubled += (found - expected).total()


def _place(event: Event, retired: Container[date]) -> str | date:
    """Return the key of an event for the comparison: its id, or its day when that day was dropped."""
    day = event.timestamp.date()
    return day if day in retired else event.event_id


@asynccontextmanager
async def new_ground(server: EmbeddedServer, row: Row, trial: Trial, seed: int) -> AsyncIterator[Ground]:
    """Give a new database on a server; drop it at the end of the block."""
    name = f"faults_{uuid4().hex}"
    await execute(server.database_url("postgres"), f'create database "{name}"')
    url = server.database_url(name)
    await migrate(url, shards=trial.shards)
    database = Database(url, statement_seconds=SECONDS)
    with tempfile.TemporaryDirectory(prefix="hourledger-") as folder, ExitStack() as opened:
        try:
            await make_days(database, RETENTION_DAYS)
            place = Path(folder)
            chance = random.Random(seed)
            ground = Ground(server, url, place, row, database, trial, place / "archive", opened, chance=chance)
            yield ground
            await ground.database.close()
        finally:
            await database.close()
            await execute(server.database_url("postgres"), f'drop database "{name}" with (force)')
