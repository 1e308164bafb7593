"""The database that a benchmark runs on: a PostgreSQL of its own in a temporary folder, filled with events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.rows import NotCounted
from bench.scattered_data import scattered_events
from bench.statements import Statements, load
from bench.web_data import HOURS, web_events
from projections.hours import list_hours
from projections.verify import verify
from service.console import progress
from service.ingest.append_queue import EVENTS_PER_COMMIT
from service.ingest.event import Event
from sql.database import Database
from sql.days import make_days
from sql.embedded.share import use
from sql.hourly import PROJECTION, VERIFIED
from sql.migrate import migrate

RETENTION_DAYS = 30
STATEMENT_SECONDS = 600
FOLD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    events: how many are stored. runs: samples of each measurement. load_seconds: duration of one load. requests: how
    many a latency sample takes. lag_seconds: duration of the steady load that the projector must keep up with.
    hours: over how many the events are spread.
    """

    events: int
    runs: int
    load_seconds: int
    requests: int
    lag_seconds: int
    hours: int = HOURS


@dataclass(frozen=True, slots=True)
class DataSet:
    """Seeded events. `events(count, hours)` gives `count` of them over `hours`, in the order of their timestamps."""

    name: str
    events: Callable[[int, int], Iterator[Event]]


WEB = DataSet("web", web_events)
SCATTERED = DataSet("scattered", scattered_events)


@dataclass(frozen=True, slots=True)
class Ground:
    """A database for a benchmark, with the service's schema and one shard. `folder` is temporary.

    From `Grounds.of` it holds `size.events` events of `data`, appended in arrival order and not folded yet. From
    `empty` it holds none.
    """

    folder: Path
    url: str
    data: DataSet
    database: Database
    statements: Statements
    size: Size

    async def append(self, columns: list[list[object]]) -> None:
        """Append events as one batch. Raises NotCounted unless all of them are stored."""
        if await self.database.rows(self.database.statements.append_events, 0, RETENTION_DAYS, None, *columns, None):
            raise NotCounted("an append did not store all of its events")

    async def append_batches(self, events: Iterator[Event], batches: int) -> float:
        """Append the next events in `batches` batches, made before the clock starts; return events per second."""
        made = [columns_of(events, EVENTS_PER_COMMIT) for _ in range(batches)]
        started = time.perf_counter()
        for columns in made:
            await self.append(columns)
        return batches * EVENTS_PER_COMMIT / (time.perf_counter() - started)

    async def wait_until_folded(self) -> None:
        """Wait until the running projector has nothing left to fold. Raises NotCounted after 60 s."""
        deadline = time.monotonic() + FOLD_SECONDS
        while time.monotonic() < deadline:
            rows = await self.database.rows(self.database.statements.list_checkpoints, PROJECTION)
            if all(row["position"] == row["head"] for row in rows):
                return
            await asyncio.sleep(0.02)
        raise NotCounted(f"the projector did not catch up in {FOLD_SECONDS:.0f} s")

    async def verify(self) -> int:
        """Verify everything; return the number of events. Raises NotCounted when anything is wrong."""
        events = 0
        async for proof in verify(self.database, await list_hours(self.database, None, None)):
            if proof.state != VERIFIED:
                raise NotCounted(f"verify: {proof.hour.start:%Y-%m-%dT%H:%MZ} is {proof.state}")
            events += proof.events
        return events


class Grounds:
    """The filled grounds that benchmarks share. Each is made at its first use."""

    def __init__(self, size: Size, opened: AsyncExitStack) -> None:
        self.size = size
        self._opened = opened
        self._made: dict[tuple[str, int], Ground] = {}
        self._unverified: dict[tuple[str, int], Ground] = {}

    async def of(self, data: DataSet, *, times: int = 1) -> Ground:
        """Return the ground of a data set, with `times` times the events of the size."""
        if (data.name, times) not in self._made:
            size = replace(self.size, events=self.size.events * times)
            ground = await self._opened.enter_async_context(empty(size, data))
            await _load(ground)
            self._made[data.name, times] = ground
        ground = self._unverified[data.name, times] = self._made[data.name, times]
        return ground

    async def verify(self) -> None:
        """Verify every ground used since the last call. Raises NotCounted when anything is wrong."""
        while self._unverified:
            await self._unverified.popitem()[1].verify()


@asynccontextmanager
async def empty(size: Size, data: DataSet) -> AsyncIterator[Ground]:
    """Yield a migrated, empty database on an embedded server with the settings that users get: commits are durable."""
    with _folder() as folder, use(folder / "data") as server:
        await migrate(server.url)
        database = Database(server.url, statement_seconds=STATEMENT_SECONDS)
        try:
            # All that events may be of, because a benchmark measures no making of days.
            today = datetime.now(UTC).date()
            days = [today - timedelta(days=before) for before in range(RETENTION_DAYS + 1)]
            await make_days(database, RETENTION_DAYS, None, days)
            yield Ground(folder, server.url, data, database, load(), size)
        finally:
            await database.close()


async def _load(ground: Ground) -> None:
    """Append the data set as the service does, in its largest commits, and let the statistics settle."""
    events = ground.data.events(ground.size.events, ground.size.hours)
    with progress(f"bench: append, {ground.data.name}", ground.size.events, "events") as meter:
        while columns := columns_of(events, EVENTS_PER_COMMIT):
            await ground.append(columns)
            meter.advance(len(columns[0]))
    await ground.database.rows(ground.statements.vacuum)


def columns_of(events: Iterator[Event], most: int) -> list[list[object]]:
    """Return up to `most` of the next events in the form of append_events: a list per field; [] when none are left."""
    return [list(column) for column in zip(*islice(events, most), strict=True)]


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="hourledger-bench-") as name:
        # When started as root, the server runs as a user of its own, which must be able to enter the folder.
        Path(name).chmod(0o711)
        yield Path(name)


def tell(what: str) -> None:
    """Print a line about progress on stderr."""
    click.echo(f"bench: {what}", err=True)
