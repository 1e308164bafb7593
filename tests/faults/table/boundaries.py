"""A way to PostgreSQL that is cut at a chosen statement: before the server gets it, or after it was done, unanswered.

It speaks as much of https://www.postgresql.org/docs/current/protocol-flow.html as it takes to count statements. What a
client sends up to Query, Sync or Flush is one, so preparing, BEGIN, COMMIT and a pool's reset each have boundaries.
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
# What ends a statement of the client's, and with what the server's answer to it then ends.
ANSWERED_BY = {b"Q": b"Z", b"S": b"Z", b"H": b"TnE"}
# A password, and the farewell.
GIVEN_ON_AT_ONCE = (b"p", b"X")


class Moment(Enum):
    """When a statement's connection is cut."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Boundaries:
    """A proxy in front of PostgreSQL. All connections are cut together, as when their process is killed."""

    url: str
    moment: Moment = Moment.BEFORE
    left: int = 0
    was_cut: bool = False
    connections: set[Connection] = field(default_factory=set)

    def arm(self, moment: Moment, place: int) -> None:
        """Cut once, at the statement of this place, from 1, counted from now on."""
        self.moment, self.left, self.was_cut = moment, place, False

    def reached(self) -> bool:
        """Count one statement; tell whether it is the chosen one."""
        self.left -= 1
        return self.left == 0

    def cut(self) -> None:
        """Cut all connections, without a word of farewell to either side."""
        self.was_cut = True
        for connection in self.connections:
            connection.cut()

    async def settled(self) -> None:
        """Return when the server has ended, and rolled back, what was cut."""
        async with asyncio.timeout(30):
            while self.connections:
                await next(iter(self.connections)).ended.wait()


@dataclass(eq=False)
class Connection:
    """One connection of the client's, and the one to the server that stands for it."""

    boundaries: Boundaries
    client: StreamWriter
    server: StreamWriter
    swallowed_until: bytes = b""
    was_cut: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def give_requests(self, reader: StreamReader) -> None:
        """Give on what the client sends, a statement at a time."""
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
        """Give on what the server answers, but for the answer that tells the outcome of the chosen statement."""
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
        """End what goes to the server. It finishes what it does and ends the other direction, too."""
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
    """Give a way to the database through a socket in `folder`."""
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
