"""A proxy to the database that can hang, and can cut connections before a request or its answer arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

PORT = 5432


@dataclass
class Way:
    """A proxy in front of PostgreSQL, for one test."""

    url: str
    open: bool = True
    answers_to_swallow: int = 0
    hangs: bool = False
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def passable(self) -> None:
        """Return once the proxy does not hang."""
        while self.hangs:  # noqa: ASYNC110  # `hangs` is a plain flag
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """Cut all connections, and refuse new ones."""
        self.open = False
        self.sever()

    def sever(self) -> None:
        """Cut all connections."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


@asynccontextmanager
async def severable(database_url: str, folder: Path) -> AsyncIterator[Way]:
    """Give a proxy to the database that listens on a socket in `folder`."""
    way = Way(database_url.partition("?")[0] + f"?host={quote(str(folder))}&port={PORT}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not way.open:
            writer.transport.abort()
            return
        to_server = await connect(database_url)
        way.writers |= {writer, to_server[1]}

        async def to_client(data: bytes) -> bool:
            await way.passable()
            if way.answers_to_swallow and _ends_a_statement(data):
                way.answers_to_swallow -= 1
                way.sever()
                return False
            writer.write(data)
            return True

        async def to_database(data: bytes) -> bool:
            await way.passable()
            to_server[1].write(data)
            return True

        await asyncio.gather(
            _pump(reader, to_database, to_server[1]),
            _pump(to_server[0], to_client, writer),
        )

    server = await asyncio.start_unix_server(serve, folder / f".s.PGSQL.{PORT}")
    try:
        yield way
    finally:
        way.close()
        server.close()


def _ends_a_statement(data: bytes) -> bool:
    """Tell whether an answer says that a SELECT has ended and that its transaction is committed."""
    return b"SELECT " in data and data.rstrip(b"\0")[-1:] == b"I"


async def _pump(
    reader: asyncio.StreamReader, give: Callable[[bytes], Awaitable[bool]], other_side: asyncio.StreamWriter
) -> None:
    """Pass on what one side sends; when that side ends, close the other."""
    try:
        while (data := await reader.read(65_536)) and await give(data):
            pass
    except ConnectionError:
        pass
    other_side.close()


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [""])[0]
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{unquote(host)}/.s.PGSQL.{PORT}")
    return await asyncio.open_connection(parts.hostname, parts.port or PORT)
