"""A pool of connections that behaves the same on the embedded server, on any other server, and behind pgbouncer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from sql.errors import Lost, callers_own, translated
from sql.known_types import Connection
from sql.statements import Statements, load

# A row of a result: values by column name, or by index.
Row: TypeAlias = asyncpg.Record

# Settings of every connection, whatever the server's defaults are. A pooler in transaction mode refuses them at
# start-up; then each call runs in a transaction that sets them for itself.
SETTINGS = {
    "application_name": "hourledger",
    "default_transaction_isolation": "read committed",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "timezone": "UTC",
}

# Settings for Session.configure. REPLAN: make a plan for each statement. ONLY_ITS_DAY: and a plan for the one day that
# a statement names, because a plan for all days fails when the file of any day is missing.
REPLAN = {"plan_cache_mode": "force_custom_plan"}
ONLY_ITS_DAY = REPLAN | {"hourledger.plan_each": "on"}

# How long to wait for a connection of the pool; asyncpg waits as long for a cancelled one to be released.
ACQUIRE_SECONDS = 5
FEW_ROWS = 50
# A chunk has at most CHUNK_ROWS rows and aims at CHUNK_CHARACTERS characters, because the properties of one event may
# be a megabyte. The first chunk has FIRST_ROWS rows.
CHUNK_ROWS = 200
FIRST_ROWS = 20
CHUNK_CHARACTERS = 4_000_000
# How much of the rest of a copy is read after an error of the caller's: a driver that stops a copy may wait in vain.
DISCARDED_BYTES = 64_000_000
# A header, because a reader of the file takes U+FEFF at its beginning for no part of a text.
CSV = {"format": "csv", "header": True}
_COMMENT = re.compile("--[^\n]*")


class Session:
    """One connection in one transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Run a query; return all its rows."""
        with translated():
            rows: list[Row] = await self._connection.fetch(query, *args)
        return rows

    async def only(self, query: str, *args: object) -> Row:
        """Run a query that gives one row; return it."""
        (row,) = await self.rows(query, *args)
        return row

    async def copy_out(self, write: Callable[[bytes], Awaitable[None]], query: str, *args: object) -> None:
        """Run a query; give its rows as CSV to `write`, some at a time. An OSError that `write` raises goes through.

        The driver writes the arguments into the text. A line break in one would end a comment, so none is sent.
        """
        failed: OSError | None = None
        left = DISCARDED_BYTES

        async def written(data: bytes) -> None:
            nonlocal failed, left
            if failed is None:
                try:
                    await write(data)
                except OSError as error:
                    failed = error
            elif (left := left - len(data)) < 0:
                with callers_own():
                    raise failed

        with translated():
            await self._connection.copy_from_query(_COMMENT.sub("", query), *args, output=written, **CSV)
            if failed is not None:
                with callers_own():
                    raise failed

    async def configure(self, settings: Mapping[str, str]) -> None:
        """Change settings of PostgreSQL until the transaction ends."""
        await self.rows(load().set_for_transaction, list(settings), list(settings.values()))

    async def stream(self, query: str, *args: object) -> AsyncIterator[Row]:
        """Run a query; yield its rows, fetched a few at a time. The caller may stop early."""
        with translated():
            async for row in self._connection.cursor(query, *args, prefetch=FEW_ROWS):
                yield row

    async def chunks(self, query: str, *args: object) -> AsyncIterator[list[Row]]:
        """Run a query; yield its rows in chunks of at most 200 rows. The last chunk may be empty.

        A chunk of large rows has fewer rows. The statement timeout applies to each chunk separately.
        """
        with translated():
            cursor = await self._connection.cursor(query, *args)
        wanted = min(FIRST_ROWS, CHUNK_ROWS)
        while True:
            with translated():
                rows: list[Row] = await cursor.fetch(wanted)
            yield rows
            if len(rows) < wanted:
                return
            characters = sum(len(value) for row in rows for value in row if isinstance(value, str))
            wanted = max(1, min(CHUNK_ROWS, 2 * wanted, wanted * CHUNK_CHARACTERS // max(characters, 1)))


class Database:
    """Queries on a pool of connections, which opens at the first query. Raises the errors of `sql.errors`.

    url: PostgreSQL 15 to 18, directly or through a pooler.
    connections: the most connections at a time.
    statement_seconds, lock_seconds: how long a statement, and its wait for a lock, may take. The server ends the
    statement then; the client gives up a second later when the server does not answer. Work such as verify needs long.
    read_only: the server refuses writes, so a query whose connection was lost can safely run once more on another.
    plan_each: PostgreSQL plans each statement for its actual values and keeps no generic plan. Filters that are not
    set then cost nothing: a scan of many events gains far more than planning takes.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 4,
        statement_seconds: int = 15,
        lock_seconds: int = 10,
        read_only: bool = False,
        plan_each: bool = False,
    ) -> None:
        self.statements: Statements = load()
        self._url = url
        self._connections = connections
        self._statement_seconds = statement_seconds
        self._read_only = read_only
        self._settings = SETTINGS | {
            "lock_timeout": f"{lock_seconds}s",
            "statement_timeout": f"{statement_seconds}s",
        }
        if read_only:
            self._settings["default_transaction_read_only"] = "on"
        if plan_each:
            self._settings["plan_cache_mode"] = "force_custom_plan"
        self._pool: Any = None
        self._pooler_between = False
        self._opening = asyncio.Lock()

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Run one query in a transaction of its own; return all its rows."""
        try:
            return await self._rows(query, *args)
        except Lost:
            if self._pool is not None:
                await self._pool.expire_connections()  # a server that went away took the other connections with it
            if not self._read_only:
                raise  # the query may have taken effect
            return await self._rows(query, *args)

    async def _rows(self, query: str, *args: object) -> list[Row]:
        with translated():
            pool = await self._open()
            if not self._pooler_between:
                async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                    rows: list[Row] = await connection.fetch(query, *args)
                return rows
        async with self.transaction() as session:
            return await session.rows(query, *args)

    async def only(self, query: str, *args: object) -> Row:
        """Run one query that gives one row; return it."""
        (row,) = await self.rows(query, *args)
        return row

    async def alone(self, command: str) -> None:
        """Run a command that PostgreSQL allows in no transaction, such as VACUUM. The text has no parameters."""
        with translated():
            pool = await self._open()
            async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                await connection.execute(command)

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """One transaction at READ COMMITTED: each statement has its own snapshot."""
        return self._transaction("read_committed")

    def snapshot(self, *, first: str | None = None) -> AbstractAsyncContextManager[Session]:
        """One transaction at REPEATABLE READ: all statements have the same snapshot.

        first: a statement that comes before the snapshot: it takes a lock, or takes over a snapshot.
        """
        return self._transaction("repeatable_read", first)

    @asynccontextmanager
    async def _transaction(self, isolation: str, first: str | None = None) -> AsyncIterator[Session]:
        with translated():
            pool = await self._open()
            async with (
                pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
                connection.transaction(isolation=isolation, readonly=self._read_only),
            ):
                if first is not None:
                    await connection.execute(first)
                session = Session(connection)
                if self._pooler_between:
                    await session.configure(self._settings)
                with callers_own():
                    yield session

    async def close(self) -> None:
        """Wait for calls under way, then close all connections."""
        with translated():
            if self._pool is not None:
                await self._pool.close()

    async def _open(self) -> Any:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pooler_between = await is_pooler_between(self._url)
                    self._pool = await self._create_pool()
        return self._pool

    async def _create_pool(self) -> Any:
        return await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._connections,
            timeout=10,
            command_timeout=self._statement_seconds + 1,
            connection_class=Connection,
            server_settings=None if self._pooler_between else self._settings,
            # Our calls leave no state on a connection, so resetting it would waste a round trip. asyncpg rolls back an
            # open transaction in any case. Behind a pooler the reset stays, because others use its servers too: asyncpg
            # might leave them the setting that it uses to look up types.
            reset=None if self._pooler_between else _leave_as_it_is,
            # A pooler in transaction mode gives each transaction another server, which lacks our prepared statements.
            statement_cache_size=0 if self._pooler_between else 100,
        )


async def _leave_as_it_is(_: object) -> None:
    """Replace asyncpg's reset of a released connection: do nothing."""


async def is_pooler_between(url: str) -> bool:
    """Return whether a pooler stands between: the process id at connection start is then not that of the answer."""
    connection = await asyncpg.connect(url, statement_cache_size=0, timeout=10)
    try:
        async with connection.transaction():
            answering = await connection.fetchval(load().identify_backend)
        return bool(answering != connection.get_server_pid())
    finally:
        await connection.close()
