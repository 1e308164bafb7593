"""What every benchmark stands on: a PostgreSQL of its own in a temporary folder, and how much is to be measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.rows import NotCounted
from bench.statements import Statements, load
from projections import hourly
from projections.hours import list_hours
from projections.verify import VERIFIED, verify
from sql.database import Database
from sql.days import make_days
from sql.embedded import use
from sql.migrate import migrate

RETENTION_DAYS = 30
STATEMENT_SECONDS = 600
FOLD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: stored events, samples of each thing, seconds of a load, requests of a latency."""

    events: int
    runs: int
    load_seconds: int
    requests: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a benchmark runs. `folder` is temporary; the database is the service's own, with one shard."""

    folder: Path
    url: str
    database: Database
    statements: Statements
    size: Size

    async def wait_until_folded(self) -> None:
        """Return when the projector, which must be running, has nothing left to fold. Raises NotCounted."""
        deadline = time.monotonic() + FOLD_SECONDS
        while time.monotonic() < deadline:
            rows = await self.database.rows(self.database.statements.list_checkpoints, hourly.NAME)
            if all(row["position"] == row["head"] for row in rows):
                return
            await asyncio.sleep(0.02)
        raise NotCounted(f"the projector did not catch up in {FOLD_SECONDS:.0f} s")

    async def verify(self) -> int:
        """Verify everything; return how many events. Raises NotCounted when anything is wrong."""
        events = 0
        async for proof in verify(self.database, await list_hours(self.database, None, None)):
            if proof.state != VERIFIED:
                raise NotCounted(f"verify: {proof.hour.start:%Y-%m-%dT%H:%MZ} is {proof.state}")
            events += proof.events
        return events


@asynccontextmanager
async def prepared(size: Size) -> AsyncIterator[Ground]:
    """Give a migrated, empty database on an embedded server with the settings that users get: all is durable."""
    with _folder() as folder, use(folder / "data") as server:
        await migrate(server.url)
        database = Database(server.url, statement_seconds=STATEMENT_SECONDS)
        try:
            await make_days(database, RETENTION_DAYS)
            yield Ground(folder, server.url, database, load(), size)
        finally:
            await database.close()


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="hourledger-bench-") as name:
        # Started as root, the server runs as a user of its own, who must be able to get in.
        Path(name).chmod(0o711)
        yield Path(name)


def tell(what: str) -> None:
    """Say on stderr what is being done."""
    click.echo(f"bench: {what}", err=True)
