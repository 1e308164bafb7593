"""HTTP out: server-sent events that tell when the log or its projection has moved, so that a page reads anew.

One poll a second for all streams of a worker, and none while there is no stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage
from litestar.types import ASGIApp, Receive, Scope, Send

from service.errors import Busy
from service.http.deadline import in_time
from service.reports.proofs import as_of
from sql.database import Database
from sql.errors import DatabaseError
from sql.hourly import PROJECTION

POLL_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 15.0
MOST_STREAMS = 64
HEADERS = {"Cache-Control": "no-store"}

log = structlog.get_logger(__name__)

# The data of an update; None while the database is away.
Standing = dict[str, Any] | None


class Live:
    """Streams of updates, and the one task that looks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams = 0
        self._poll: asyncio.Task[None] | None = None
        # What was found last, by the number of the finding; 0 for nothing yet.
        self._number = 0
        self._standing: Standing = None
        self._moved = asyncio.Event()
        self._closing = False

    def close(self) -> None:
        """End all streams, and begin no more."""
        self._closing = True
        self._wake()

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Count a stream for as long as it is answered."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            with self._place():
                await app(scope, receive, send)

        return counted

    def answer(self) -> ServerSentEvent:
        """Return a stream that tells where the log stands at once, and whenever it has moved."""
        return ServerSentEvent(_Stream(self), headers=HEADERS)

    async def after(self, number: int) -> tuple[int, ServerSentEventMessage]:
        """Return the next finding after a number, or a comment when there is none for long.

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
        if self._closing:
            raise StopAsyncIteration

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the streams there may be. Raises Busy when all are taken."""
        if self._closing or self._streams >= MOST_STREAMS:
            raise Busy("too many streams are open, or the service is stopping; ask again")
        self._streams += 1
        if self._poll is None:
            self._poll = asyncio.create_task(self._look())
        try:
            yield
        finally:
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
                self._wake()
            await asyncio.sleep(POLL_SECONDS)

    async def _ask(self) -> Standing:
        try:
            return as_of(await in_time(self._database.rows(self._database.statements.list_lags, PROJECTION)))
        except DatabaseError:
            return None
        except Exception:
            log.exception("looking for updates failed by a fault of the service")
            return None

    def _wake(self) -> None:
        """Wake all who wait, and only them."""
        self._moved.set()
        self._moved = asyncio.Event()


class _Stream(AsyncIterator[ServerSentEventMessage]):
    """The messages of one stream. No generator: nothing is left to be closed when its client goes away."""

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
