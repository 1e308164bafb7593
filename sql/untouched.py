"""Whether services have left a database alone, so that going back to a backup loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import asyncpg

from sql.errors import DatabaseError, translated
from sql.statements import load

# How long a connection of a command that has ended may still be listed.
LINGERS_SECONDS = 5.0
LOOK_SECONDS = 0.05


class Touched(DatabaseError):
    """A service uses the database, or has used it since. The message says which."""


async def read_positions(url: str) -> int:
    """Return the sum of the shards' last positions, in any version of the schema; 0 for an empty database."""
    async with _connected(url) as connection:
        return await _positions(connection)


async def check_untouched(url: str, positions: int) -> None:
    """Raise Touched when a service uses the database, or its log has other positions than `read_positions` gave."""
    async with _connected(url) as connection:
        await refuse_touched(connection, positions)


async def refuse_touched(connection: Any, positions: int) -> None:
    """Do the same as `check_untouched` on a connection of the driver."""
    until = monotonic() + LINGERS_SECONDS
    while users := await connection.fetchval(load().count_users):
        if monotonic() > until:
            raise Touched(f"hourledger uses the database now ({users} connections)")
        await asyncio.sleep(LOOK_SECONDS)
    # After the users, because one that has just left may have appended.
    if (now := await _positions(connection)) != positions:
        raise Touched(f"the log went from position {positions} to {now} meanwhile")


async def _positions(connection: Any) -> int:
    statements = load()
    if not await connection.fetchval(statements.has_schema):
        return 0
    if not await connection.fetchval(statements.read_schema_version):
        return 0
    return int(await connection.fetchval(statements.sum_heads))


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    with translated():
        connection: Any = await asyncpg.connect(url, statement_cache_size=0, timeout=10)
        try:
            yield connection
        finally:
            await connection.close()
