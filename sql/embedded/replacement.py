"""A second database of the embedded server, which takes the place of the first once it is complete.

So a restore that fails or is killed leaves the first as it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from sql.embedded.share import EmbeddedServer
from sql.errors import translated
from sql.statements import load
from sql.untouched import refuse_touched

REPLACEMENT = "hourledger_replacement"


async def make_replacement(server: EmbeddedServer) -> EmbeddedServer:
    """Make an empty database beside the server's; return the same share, whose `url` leads to it.

    Raises sql.errors.DatabaseError.
    """
    await drop_replacement(server)
    async with _connected(server.database_url("postgres")) as connection:
        await connection.execute(load().create_replacement)
    return replace(server, database=REPLACEMENT)


async def drop_replacement(server: EmbeddedServer) -> None:
    """Drop a replacement that is not in place, and a former database that is left. Raises sql.errors.DatabaseError."""
    async with _connected(server.database_url("postgres")) as connection:
        await connection.execute(load().drop_replacement)
        await connection.execute(load().drop_former)


async def put_in_place(server: EmbeddedServer, positions: int) -> None:
    """Let the replacement be the server's database, and drop the former one.

    It ends the connections of others, and lets no new ones in meanwhile. Both names change at once, so that a kill
    leaves one of the two states.
    positions: how far the log had come when the replacement's backup was made.
    Raises sql.untouched.Touched when a service uses the former database, or its log has grown since; and
    sql.errors.DatabaseError. The former database is then in place, and open.
    """
    try:
        await _swap(server, positions)
    except BaseException:
        async with _connected(server.database_url("postgres")) as connection:
            await connection.execute(load().open_database)
        raise
    async with _connected(server.database_url("postgres")) as connection:
        await connection.execute(load().drop_former)


async def _swap(server: EmbeddedServer, positions: int) -> None:
    async with _connected(server.database_url("postgres")) as connection:
        # It connects before the database is shut, and looks afterwards, when no service can begin to write.
        async with _connected(server.url) as inside:
            await connection.execute(load().shut_database)
            await refuse_touched(inside, positions)
        async with connection.transaction():
            await connection.execute(load().end_sessions)
            await connection.execute(load().set_former_aside)
            await connection.execute(load().put_replacement_in_place)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    with translated():
        connection: Any = await asyncpg.connect(url)
        try:
            yield connection
        finally:
            await connection.close()
