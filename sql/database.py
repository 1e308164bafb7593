"""A pool of connections that behaves alike on the embedded server, on any other, and behind pgbouncer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from sql.errors import Lost, translated
from sql.statements import Statements, load

# A row of an answer: values by column name, or by place.
Row: TypeAlias = asyncpg.Record

# Settings for every connection, whatever the server's defaults are. A pooler in transaction mode refuses them at
# start-up; then each call runs in a transaction that makes these settings itself.
SETTINGS = {
    "application_name": "hourledger",
    "default_transaction_isolation": "read committed",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "timezone": "UTC",
}

# How long to wait for a connection of the pool.
ACQUIRE_SECONDS = 5
FEW_ROWS = 50
# The most rows of a chunk, of the first chunk, and the most characters: properties can have a megabyte each.
CHUNK_ROWS = 200
FIRST_ROWS = 20
CHUNK_CHARACTERS = 4_000_000


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

    async def stream(self, query: str, *args: object) -> AsyncIterator[Row]:
        """Run a query; fetch its rows a few at a time, while the caller asks for more."""
        with translated():
            async for row in self._connection.cursor(query, *args, prefetch=FEW_ROWS):
                yield row

    async def chunks(self, query: str, *args: object) -> AsyncIterator[list[Row]]:
        """Run a query; fetch a chunk of some hundred rows whenever the caller asks; the last one is empty or shorter.

        A chunk of large rows has fewer of them. Each chunk has the time limit of a statement.
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
    """Queries on a pool of connections, opened when first used. Errors are those of `sql.errors`.

    url: PostgreSQL 15 to 18, with or without a pooler between.
    connections: the most at a time.
    statement_seconds, lock_seconds: limits of a statement and of its wait for a lock. The server ends the statement
    then, or the client a second later when the server does not answer at all. Work such as verify needs long ones.
    read_only: the server refuses to write. A query that was lost with its connection then runs once more on another.
    plan_each: PostgreSQL plans each statement for its values and keeps no plan for any values. Filters that are not
    asked for then cost nothing: a scan of many events gains far more than planning takes.
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
                await self._pool.expire_connections()  # a server that went has cut the others too
            if not self._read_only:
                raise  # it may have taken effect
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

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """One transaction at READ COMMITTED: each statement has its own snapshot."""
        return self._transaction("read_committed")

    def snapshot(self) -> AbstractAsyncContextManager[Session]:
        """One transaction at REPEATABLE READ: all statements have the same snapshot."""
        return self._transaction("repeatable_read")

    @asynccontextmanager
    async def _transaction(self, isolation: str) -> AsyncIterator[Session]:
        with translated():
            pool = await self._open()
            async with (
                pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
                connection.transaction(isolation=isolation, readonly=self._read_only),
            ):
                if self._pooler_between:
                    await self._set_for_transaction(connection)
                yield Session(connection)

    async def _set_for_transaction(self, connection: Any) -> None:
        names, values = zip(*self._settings.items(), strict=True)
        await connection.fetch(self.statements.set_for_transaction, names, values)

    async def close(self) -> None:
        """Close all connections, waiting for calls under way."""
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
            server_settings=None if self._pooler_between else self._settings,
            # A call leaves nothing on a connection that the next would notice, so no round trip clears it. asyncpg
            # rolls back an open transaction in any case. Behind a pooler it must reset: other users share the servers,
            # and asyncpg could leave them the setting with which it looks up types.
            reset=None if self._pooler_between else _leave_as_it_is,
            # A pooler in transaction mode gives each transaction another server, which does not know our statements.
            statement_cache_size=0 if self._pooler_between else 100,
        )


async def _leave_as_it_is(_: object) -> None:
    """Take the place of asyncpg's reset of a connection that is given back."""


async def is_pooler_between(url: str) -> bool:
    """Tell whether a pooler stands between: it then names another server process than the one that answers."""
    connection = await asyncpg.connect(url, statement_cache_size=0, timeout=10)
    try:
        async with connection.transaction():
            answering = await connection.fetchval(load().identify_backend)
        return bool(answering != connection.get_server_pid())
    finally:
        await connection.close()
