"""A log of one shard or eight, used and checked as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from projections.projector import catch_up
from service.ingest.append_queue import shard_of
from service.ingest.appender import Appender
from service.ingest.event import Event
from sql.database import Database
from tests.conftest import RETENTION_DAYS, Servers
from tests.support import oracle
from tests.support.projection import folded, proofs
from tests.support.servers import Beginning

# Shards that a log with one shard gets in addition.
MORE_SHARDS = """
insert into log_heads (shard) select generate_series(1, 7);
insert into shard_totals (shard) select generate_series(1, 7);
insert into checkpoints (shard, projection, version) select generate_series(1, 7), 'hourly', 1;
insert into site_shards (shard, site) select generate_series(1, 7), 0;
"""
IN_LOG = "select shard, event_id, session_id, timestamp from events"


@dataclass(frozen=True)
class Sharded:
    """A database and its number of shards; triggers do not apply to `admin`."""

    url: str
    shards: int
    database: Database
    admin: asyncpg.Connection[asyncpg.Record]

    def shard_of(self, session: str) -> int:
        """Return the shard of a session."""
        return shard_of(session, self.shards)

    def of_shard(self, shard: int, events: Iterable[Event]) -> list[Event]:
        """Return the events that go to a shard."""
        return [event for event in events if self.shard_of(event.session_id) == shard]

    async def check(self, expected: Sequence[Event]) -> None:
        """Assert that the log holds each of these events once, the projection counts them, and all hours verify."""
        named = [(self.shard_of(each.session_id), each.event_id, each.session_id, each.timestamp) for each in expected]
        assert sorted(map(tuple, await self.admin.fetch(IN_LOG))) == sorted(named)
        await catch_up(self.database)
        for shard in range(self.shards):
            assert await folded(self.admin, shard=shard) == oracle.rows(self.of_shard(shard, expected))
        found = await proofs(self.database)
        assert [proof for proof in found if proof.state != "verified"] == []
        assert sum(proof.events for proof in found) == len(expected)


@asynccontextmanager
async def sharded_log(
    servers: Servers, version: int, shards: int, begins: Beginning | None = None, archive: Path | None = None
) -> AsyncIterator[Sharded]:
    """Give an empty log of `shards` shards with its days made.

    begins: what the log holds instead. archive: where the files of its archive go.
    """
    async with (
        servers.new_database(version, shards=shards, begins=begins, files=archive) as url,
        log_at(url, shards) as log,
    ):
        yield log


@asynccontextmanager
async def log_at(url: str, shards: int) -> AsyncIterator[Sharded]:
    """Give the log of a migrated database."""
    database = Database(url)
    admin = await asyncpg.connect(url)
    await admin.execute("set session_replication_role = replica")
    try:
        yield Sharded(url, shards, database, admin)
    finally:
        await admin.close()
        await database.close()


@asynccontextmanager
async def appending(url: str, *, clock: datetime | None = None, lock_seconds: int = 10) -> AsyncIterator[Appender]:
    """Run an appender as a process of the service does."""
    database = Database(url, lock_seconds=lock_seconds)
    appender = Appender(database, RETENTION_DAYS, clock)
    await appender.start()
    try:
        async with asyncio.timeout(60):
            while not appender.available:  # noqa: ASYNC110  # the appender sends no event
                await asyncio.sleep(0.01)
        yield appender
    finally:
        await appender.close()
        await database.close()
