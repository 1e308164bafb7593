"""A pooler in transaction mode that is as harsh as possible: each transaction of a client gets another server.

It implements only the part of the protocol that this needs. A real pooler mostly reuses the last server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from struct import pack, unpack
from urllib.parse import quote

from tests.support.severed_connection import PORT, connect

# The startup parameters that a pooler accepts; any other would be state that it must keep per client.
AT_START = {"user", "database", "client_encoding", "application_name"}
# Client messages that the server answers with ReadyForQuery: Query, Sync and FunctionCall.
ASKS = b"QSF"
TERMINATE = b"X"


@dataclass(eq=False)
class Server:
    """A connection to the database; a client has it for one transaction, otherwise it is free."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    client: asyncio.StreamWriter | None = None
    unanswered: int = 0


@dataclass
class Pooler:
    """A pooler in front of one database; `transactions` counts the transactions that got a server."""

    url: str
    database_url: str
    transactions: int = 0
    servers: list[Server] = field(default_factory=list)
    free: asyncio.Queue[Server] = field(default_factory=asyncio.Queue)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client until it disconnects."""
        try:
            await self._greet(reader, writer)
            await self._pass_on(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for server in [each for each in self.servers if each.client is writer]:
                server.writer.close()  # the client left in the middle of a transaction
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open a server with the client's startup parameters; give the client an invented process id."""
        (length,) = unpack("!I", await reader.readexactly(4))
        start = await reader.readexactly(length - 4)
        names = set(start[4:].rstrip(b"\0").decode().split("\0")[::2])
        if not names <= AT_START:
            refusal = f"SFATAL\0C08P01\0Munsupported startup parameter: {names - AT_START}\0\0".encode()
            writer.write(b"E" + pack("!I", len(refusal) + 4) + refusal)
            raise ConnectionError
        server = Server(*await connect(self.database_url))
        server.writer.write(pack("!I", length) + start)
        while (message := await read_message(server.reader))[:1] != b"Z":
            asked = message[:1] == b"R" and unpack("!I", message[5:9])[0] not in (0, 12)
            writer.write(message if message[:1] != b"K" else b"K" + pack("!III", 12, next(self.numbers), 0))
            if asked:
                server.writer.write(await read_message(reader))
        writer.write(message)
        self.servers.append(server)
        self.free.put_nowait(server)
        self.tasks.append(asyncio.create_task(self._answer(server)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give each transaction the server that has been free the longest."""
        while (message := await read_message(reader))[:1] != TERMINATE:
            server = next((each for each in self.servers if each.client is writer), None)
            if server is None:
                server = await self.free.get()
                server.client = writer
                self.transactions += 1
            server.unanswered += message[:1] in ASKS
            server.writer.write(message)

    async def _answer(self, server: Server) -> None:
        """Pass answers back; free the server once the transaction has ended."""
        try:
            while message := await read_message(server.reader):
                client = server.client
                if message[:1] == b"Z":
                    server.unanswered -= 1
                    if message[5:6] == b"I" and not server.unanswered:
                        server.client = None
                        self.free.put_nowait(server)
                if client is not None:
                    client.write(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.servers.remove(server)
            if server.client is not None:
                server.client.transport.abort()


@asynccontextmanager
async def pooling(database_url: str, folder: Path) -> AsyncIterator[Pooler]:
    """Give a pooler that listens on a socket in `folder`."""
    pooler = Pooler(database_url.partition("?")[0] + f"?host={quote(str(folder))}&port={PORT}", database_url)
    listening = await asyncio.start_unix_server(pooler.serve, folder / f".s.PGSQL.{PORT}")
    try:
        yield pooler
    finally:
        listening.close()
        for server in pooler.servers:
            server.writer.close()
        await asyncio.gather(*pooler.tasks)


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Read one message, including its type and length."""
    head = await reader.readexactly(5)
    (length,) = unpack("!I", head[1:])
    return head + await reader.readexactly(length - 4)
