"""Behind a pooler in transaction mode everything works, and no setting stays behind on its servers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from projections.hours import list_hours
from projections.projector import catch_up, step, tidy
from projections.rebuild import REBUILT, rebuild
from projections.verify import verify
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from service.ingest.outcomes import STORED
from sql.database import Database, is_pooler_between
from sql.migrate import check_schema, list_migrations, migrate, rollback
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.oracle import HOUR
from tests.support.pooler import Pooler, pooling
from tests.support.projection import START, fresh, random_events
from tests.support.sharded import appending

SHARDS = 8
# Settings of a session that do not come from the server's configuration.
LEFT = "select name from pg_settings where source in ('session', 'client') and name <> 'client_encoding'"
# Other tests take locks on the same PostgreSQL, so look at those of this connection's server only.
HELD = "select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
EVENTS = random_events(21, 600, hours=3, sessions=60)
END = START + 3 * HOUR


@pytest_asyncio.fixture
async def pooler(empty_database_url: str) -> AsyncIterator[Pooler]:
    """Give a pooler that already has some servers."""
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        async with pooling(empty_database_url, Path(folder)) as pooler:
            assert [await is_pooler_between(pooler.url) for _ in range(3)] == [True] * 3
            assert len(pooler.servers) == 3
            yield pooler


async def test_a_pooler_is_noticed(pooler: Pooler, empty_database_url: str) -> None:
    assert not await is_pooler_between(empty_database_url)
    with pytest.raises(asyncpg.PostgresError, match="unsupported startup parameter"):
        await asyncpg.connect(pooler.url, server_settings={"jit": "off"})


async def test_the_schema_is_made_and_taken_back(pooler: Pooler) -> None:
    assert len(await migrate(pooler.url, shards=SHARDS)) == len(list_migrations())
    assert await migrate(pooler.url) == []
    await check_schema(pooler.url)
    for migration in list_migrations()[::-1]:
        assert await rollback(pooler.url, force=True) == migration
    assert await rollback(pooler.url) is None


async def test_events_are_appended_projected_verified_and_read(pooler: Pooler) -> None:
    """Two appenders, a projector and a reader work at once, each transaction on another server."""
    await migrate(pooler.url, shards=SHARDS)
    database = Database(pooler.url)
    await tidy(database, RETENTION_DAYS)
    log = oracle.Log()
    log.append(EVENTS)
    done = asyncio.Event()
    await asyncio.gather(write(pooler, len(log.events), done), project(database, done), watch(database, done))
    await everything_is_right(database, log.events)
    await database.close()
    assert pooler.transactions > 150
    await nothing_is_left(pooler)


async def write(pooler: Pooler, different: int, done: asyncio.Event) -> None:
    async with appending(pooler.url) as one, appending(pooler.url) as other:
        batches = [EVENTS[place : place + 40] for place in range(0, len(EVENTS), 40)]
        found = await asyncio.gather(*(appender.append(batch) for batch in batches for appender in (one, other)))
    assert sum(outcomes.count(STORED) for outcomes in found) == different
    done.set()


async def project(database: Database, done: asyncio.Event) -> None:
    while not done.is_set():
        await step(database, limit=10)
        await tidy(database, RETENTION_DAYS)


async def watch(database: Database, done: asyncio.Event) -> None:
    while not done.is_set():
        hours = await list_hours(database, None, None)
        assert {proof.state async for proof in verify(database, hours)} <= {"verified"}


async def everything_is_right(database: Database, stored: list[Event]) -> None:
    for shard in range(SHARDS):
        expected = oracle.fresh([each for each in stored if shard_of(each.session_id, SHARDS) == shard], START, END)
        assert await fresh(database, START, END, shard=shard) == expected
    await catch_up(database)
    hours = await list_hours(database, None, None)
    assert {(hour.outcome, hour.rows_written) async for hour in rebuild(database, hours)} == {(REBUILT, 0)}
    proofs = [proof async for proof in verify(database, hours)]
    assert {proof.state for proof in proofs} == {"verified"}
    assert sum(proof.events for proof in proofs) == len(stored)


async def nothing_is_left(pooler: Pooler) -> None:
    """Assert that no server of the pooler keeps settings, prepared statements or advisory locks of a client."""
    connection = await asyncpg.connect(pooler.url, statement_cache_size=0)
    seen = set()
    for _ in range(3 * len(pooler.servers)):
        async with connection.transaction():
            seen.add(await connection.fetchval("select pg_backend_pid()"))
            assert await connection.fetch(LEFT) == []
            assert await connection.fetch("select name from pg_prepared_statements where name <> ''") == []
            assert await connection.fetch(HELD) == []
    await connection.close()
    assert len(seen) == len(pooler.servers)
