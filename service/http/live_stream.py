"""Sends server-sent events whenever the log or its projection has moved, so that a page reads again.

A worker polls once a second for all its streams of a site together. Without streams it does not poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage
from litestar.types import ASGIApp, Receive, Scope, Send

from service.errors import Busy
from service.http.answers import PRIVATE
from service.http.deadline import in_time
from service.reports.proofs import as_of
from service.reports.shards import Shards
from sql.database import Database, Row
from sql.errors import DatabaseError
from sql.hourly import PROJECTION

POLL_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 15.0
MOST_STREAMS = 64

log = structlog.get_logger(__name__)

# The data of an update; None while the database is away.
Standing = dict[str, Any] | None


@dataclass(slots=True)
class _Room:
    """What the streams of all sites share. streams: how many there are. lives: the sites that may have some."""

    streams: int = 0
    closing: bool = False
    lives: list[Live] = field(default_factory=list)


class Live:
    """Streams of updates of one site, and the one task that polls for them. shards: those of the site."""

    def __init__(self, database: Database, shards: Shards | None = None, room: _Room | None = None) -> None:
        self._database = database
        self._shards = shards or Shards(database)
        self._room = room or _Room()
        self._room.lives.append(self)
        self._streams = 0
        self._poll: asyncio.Task[None] | None = None
        # The last standing that was found, and its number; 0 before the first.
        self._number = 0
        self._standing: Standing = None
        self._moved = asyncio.Event()

    def of(self, shards: Shards) -> Live:
        """Return the streams of another site. Both have the same places, and end together."""
        return Live(self._database, shards, self._room)

    def close(self) -> None:
        """End all streams, those of other sites, too, and refuse new ones."""
        self._room.closing = True
        for live in self._room.lives:
            live.wake()

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application so that its stream holds a place until it ends."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            with self._place():
                await app(scope, receive, send)

        return counted

    def answer(self) -> ServerSentEvent:
        """Return a stream that sends the standing of the log at once, and whenever it has moved."""
        return ServerSentEvent(_Stream(self), headers={name.title(): value for name, value in PRIVATE.items()})

    async def after(self, number: int) -> tuple[int, ServerSentEventMessage]:
        """Return the next number and its message, or the same number and a comment after KEEP_ALIVE_SECONDS.

        Raises StopAsyncIteration when streams end.
        """
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                while self._number == number or not self._number:
                    self._stop_if_closing()
                    await self._moved.wait()
        except TimeoutError:
            return number, ServerSentEventMessage(comment="alive", data=None)
        self._stop_if_closing()
        return self._number, _message(self._standing)

    def _stop_if_closing(self) -> None:
        if self._room.closing:
            raise StopAsyncIteration

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold a place for one stream. Raises Busy when all places are taken."""
        if self._room.closing or self._room.streams >= MOST_STREAMS:
            raise Busy("too many streams are open, or the service is stopping; try again")
        self._room.streams += 1
        self._streams += 1
        if self._poll is None:
            self._poll = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._room.streams -= 1
            self._streams -= 1
            if not self._streams and self._poll is not None:
                self._poll.cancel()
                self._poll, self._standing, self._number = None, None, 0

    async def _look(self) -> None:
        while True:
            standing = await self._ask()
            if standing != self._standing or not self._number:
                self._standing = standing
                self._number += 1
                self.wake()
            await asyncio.sleep(POLL_SECONDS)

    async def _ask(self) -> Standing:
        try:
            return as_of(await in_time(self._read()))
        except DatabaseError:
            return None
        except Exception:
            log.exception("the service failed to look for updates")
            return None

    async def _read(self) -> list[Row]:
        return await self._database.rows(self._database.statements.list_lags, PROJECTION, await self._shards.numbers())

    def wake(self) -> None:
        """Wake the streams that wait now. Streams that wait later wait for the next event."""
        self._moved.set()
        self._moved = asyncio.Event()


class _Stream(AsyncIterator[ServerSentEventMessage]):
    """The messages of one stream.

    This is not a generator, because the framework does not close a generator when the client goes away:
    https://github.com/litestar-org/litestar/issues/3772.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._number = 0

    async def __anext__(self) -> ServerSentEventMessage:
        self._number, message = await self._live.after(self._number)
        return message


def _message(standing: Standing) -> ServerSentEventMessage:
    if standing is None:
        return ServerSentEventMessage(event="away", data="{}")
    return ServerSentEventMessage(event="update", data=msgspec.json.encode(standing).decode())
