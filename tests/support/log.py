"""Make events, append them to the log, read the log, and hold its locks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg

from service.ingest.event import Event
from service.operations.supervisor import prepare
from service.settings import load
from sql.database import Database
from sql.days import make_days
from sql.errors import MissingDay
from tests.conftest import RETENTION_DAYS

# The time at import. Tests may run into the next hour or day; the database's clock then differs from this.
NOW = datetime.now(UTC).replace(microsecond=0)
WAITS_FOR_ME = (
    "select exists (select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid)))"
)
WAITS = "select exists (select from pg_locks where not granted and pid = $1)"
LOCK_HEAD = "select from log_heads for update"
Begun = TypeVar("Begun")


def an_event(
    number: int = 0,
    *,
    at: datetime = NOW,
    session: str = "s1",
    properties: str | None = None,
    kind: str = "page_viewed",
    tool: str | None = "Home",
    user: str | None = None,
) -> Event:
    return Event(f"evt_{number}", session, user, kind, tool, None, properties, True, at)


async def append(
    database: Database,
    events: Sequence[Event],
    *,
    shard: int = 0,
    clock: datetime | None = None,
    new_names: int | None = None,
) -> dict[int, str]:
    """Append, and make missing days; return the outcome of each event that was not stored, by its index from 0."""
    try:
        return await offer(database, events, shard=shard, clock=clock, new_names=new_names)
    except MissingDay:
        await make_days(database, RETENTION_DAYS, clock, {event.timestamp.date() for event in events})
    return await offer(database, events, shard=shard, clock=clock, new_names=new_names)


async def offer(
    database: Database,
    events: Sequence[Event],
    *,
    shard: int = 0,
    clock: datetime | None = None,
    new_names: int | None = None,
) -> dict[int, str]:
    """Append as `append` does, but raise MissingDay."""
    columns = [list(column) for column in zip(*events, strict=True)]
    rows = await database.rows(database.statements.append_events, shard, RETENTION_DAYS, clock, *columns, new_names)
    return {row["ordinal"] - 1: row["outcome"] for row in rows}


@asynccontextmanager
async def head_locked(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold the lock that every append needs."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(LOCK_HEAD)
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


async def until_waited_for(holder: asyncpg.Connection) -> None:
    """Return once another connection waits for a lock that `holder` holds."""
    await _until(holder, WAITS_FOR_ME)


async def _until(connection: asyncpg.Connection, query: str, *arguments: object) -> None:
    async with asyncio.timeout(60):
        while not await connection.fetchval(query, *arguments):  # noqa: ASYNC110  # a lock sends no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def stopped_after_one_append(url: str, begin: Callable[[], Awaitable[Begun]]) -> AsyncIterator[Begun]:
    """Begin work that appends repeatedly; let the trial without events and one append pass, and block the next."""
    # Later starts then move no horizon, for which they would wait for the lock, too.
    await prepare(url, load({"HOURLEDGER_EVENT_RETENTION_DAYS": str(RETENTION_DAYS)}))
    holder, *others = connections = [await asyncpg.connect(url) for _ in range(3)]
    try:
        await _lock_head(holder)
        begun = await begin()
        for following in others:
            await until_waited_for(holder)
            locked = asyncio.create_task(_lock_head(following))
            # It queues for the lock behind the append that waits now and before the next append.
            await _until(holder, WAITS, following.get_server_pid())
            await holder.execute("rollback")
            await locked
            holder = following
        yield begun
    finally:
        for connection in connections:
            connection.terminate()


async def _lock_head(connection: asyncpg.Connection) -> None:
    await connection.execute("begin")
    await connection.execute(LOCK_HEAD)


async def stored(url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch("select * from events order by shard, position")
    finally:
        await connection.close()
