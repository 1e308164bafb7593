"""A proxy to PostgreSQL that cuts connections at a chosen statement: before it arrives, or before its answer does.

It reads only the part of https://www.postgresql.org/docs/current/protocol-flow.html that counting statements needs. All
messages up to Query, Sync or Flush are one statement, so preparing, BEGIN, COMMIT and a pool's reset count too.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from tests.support.severed_connection import PORT, connect

GONE = (ConnectionError, asyncio.IncompleteReadError)
# The client's messages that end a statement, and the server's messages that end the answer to each.
ANSWERED_BY = {b"Q": b"Z", b"S": b"Z", b"H": b"TnE"}
# Messages to pass on at once: the password, and Terminate.
GIVEN_ON_AT_ONCE = (b"p", b"X")


class Moment(Enum):
    """Whether connections are cut before a statement arrives, or after it is done and before its answer arrives."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Boundaries:
    """A proxy in front of PostgreSQL. It cuts all connections together, as when their process is killed."""

    url: str
    moment: Moment = Moment.BEFORE
    left: int = 0
    was_cut: bool = False
    connections: set[Connection] = field(default_factory=set)

    def arm(self, moment: Moment, place: int) -> None:
        """Cut once, at statement number `place`, counted from 1 and from now on."""
        self.moment, self.left, self.was_cut = moment, place, False

    def reached(self) -> bool:
        """Count one statement; tell whether it is the chosen one."""
        self.left -= 1
        return self.left == 0

    def cut(self) -> None:
        """Cut all connections without a Terminate message."""
        self.was_cut = True
        for connection in self.connections:
            connection.cut()

    async def settled(self) -> None:
        """Wait until the server has ended the cut sessions and rolled back their transactions."""
        async with asyncio.timeout(30):
            while self.connections:
                await next(iter(self.connections)).ended.wait()


@dataclass(eq=False)
class Connection:
    """A connection from the client, and its counterpart to the server."""

    boundaries: Boundaries
    client: StreamWriter
    server: StreamWriter
    swallowed_until: bytes = b""
    was_cut: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def give_requests(self, reader: StreamReader) -> None:
        """Pass on what the client sends, one statement at a time."""
        self._give_on(await _first_message(reader))
        statement = b""
        while True:
            kind, message = await _message(reader)
            statement += message
            if kind not in ANSWERED_BY and kind not in GIVEN_ON_AT_ONCE:
                continue
            if kind in ANSWERED_BY and self._is_chosen():
                if self.boundaries.moment is Moment.BEFORE:
                    self.boundaries.cut()
                    return
                self.swallowed_until = ANSWERED_BY[kind]
            self._give_on(statement)
            statement = b""

    def _is_chosen(self) -> bool:
        return not self.was_cut and self.boundaries.reached()

    def _give_on(self, requests: bytes) -> None:
        if not self.was_cut:
            self.server.write(requests)

    async def give_answers(self, reader: StreamReader) -> None:
        """Pass on the server's answers, except the answer to the chosen statement."""
        while True:
            kind, message = await _message(reader)
            if self.client.is_closing():
                continue
            if not self.swallowed_until:
                self.client.write(message)
            elif kind in self.swallowed_until:
                self.boundaries.cut()

    def cut(self) -> None:
        """Cut this connection."""
        self.was_cut = True
        self.client.transport.abort()
        self.end_server()

    def end_server(self) -> None:
        """Close the direction to the server. The server finishes its work and closes the other direction."""
        if not self.server.transport.is_closing():
            self.server.write_eof()


async def _first_message(reader: StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length) - 4)


async def _message(reader: StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


@asynccontextmanager
async def boundaries(database_url: str, folder: Path) -> AsyncIterator[Boundaries]:
    """Give a proxy to the database that listens on a socket in `folder`."""
    way = Boundaries(database_url.partition("?")[0] + f"?host={quote(str(folder))}&port={PORT}")

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        from_server, to_server = await connect(database_url)
        connection = Connection(way, writer, to_server)
        way.connections.add(connection)
        await asyncio.gather(
            _until_gone(connection.give_requests(reader), connection.end_server),
            _until_gone(connection.give_answers(from_server), writer.close),
        )
        to_server.close()
        way.connections.remove(connection)
        connection.ended.set()

    server = await asyncio.start_unix_server(serve, folder / f".s.PGSQL.{PORT}")
    try:
        yield way
    finally:
        way.cut()
        server.close()
        await way.settled()


async def _until_gone(giving: Coroutine[None, None, None], then: Callable[[], None]) -> None:
    with suppress(*GONE):
        await giving
    then()
