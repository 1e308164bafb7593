"""Reads request bodies. It bounds their size and their time, and throws away what is left of one that was refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.types import Receive

from service.errors import Invalid, TooLarge, Unreadable
from service.http.answers import Headers
from service.http.refusals import UnsupportedEncoding, UnsupportedType
from service.ingest.admission import SHARE_OF_ADDRESS, Budget
from service.ingest.refusals import refuse_repeats

# The longest that a body may take, and how much of it must arrive in how long. An event on a slow line takes less.
PATIENCE_SECONDS = 60.0
STEP_SECONDS = 5.0
STEP_BYTES = 20_480
# The limit of a body that is not an event: a question, or something to save.
MAX_DOCUMENT_BYTES = 65_536
# How much of a refused body is read and thrown away, so that its sender sees the answer.
THROWN_AWAY_BYTES = 16 * 1024 * 1024
THROWN_AWAY_SECONDS = 5.0
THROWN_AWAY_PAUSE = 1.0
# Gzip may add this much to content that it cannot compress: headers, and some bytes per block.
_GZIP_SLACK = 4_096
# Matches messages of msgspec such as "Expected `int`, got `str` - at `$.steps[0].action`".
_PATH = re.compile(r"(.*) - at `(?:\$\.?)?(.*)`$")
_NAMED = re.compile(r"field `([^`]*)`")

Document = TypeVar("Document")


class Body:
    """The body of one request. Its bytes count as waiting to be stored until `release`.

    limit: the most bytes of the decoded body. address: the sender's. step_seconds: how long STEP_BYTES may take to
    arrive, because slow senders must not hold the budget. gzipped: whether the body is gzip, known once it is read.
    """

    def __init__(self, budget: Budget, limit: int, address: str, step_seconds: float = STEP_SECONDS) -> None:
        self.limit = limit
        self.gzipped = False
        self._budget = budget
        self._address = address
        self._step_seconds = step_seconds
        self._held = 0

    async def read(self, receive: Receive, headers: Headers) -> bytes:
        """Return the body as sent. Raises Unreadable, TooLarge, UnsupportedEncoding or QueueFull."""
        encoding = headers.get(b"content-encoding", b"").strip().lower()
        self.gzipped = encoding == b"gzip"
        if not (self.gzipped or encoding in (b"", b"identity")):
            raise UnsupportedEncoding("the content encoding must be gzip or identity")
        return await self._read_all(receive, headers, self.limit + _GZIP_SLACK * self.gzipped)

    def hold(self, count: int) -> None:
        """Count bytes until `release`: those that arrive, and those that they decode to. Raises QueueFull."""
        self._budget.hold(count)
        self._held += count

    def release(self) -> None:
        """Stop counting the body."""
        self._budget.release(self._held)
        self._held = 0

    async def _read_all(self, receive: Receive, headers: Headers, limit: int) -> bytes:
        declared = headers.get(b"content-length", b"")
        length = int(declared) if declared.isdigit() else None
        if length is not None and length > limit:
            raise TooLarge(f"the body is larger than {self.limit} bytes")
        async with _patience(self._step_seconds) as waiting:
            chunk, more = await self._read_chunk(receive, limit)
            # Once the declared length has arrived, do not ask for more: that costs another trip through the server's
            # threads.
            if not more or self._held == length:
                return chunk
            return await self._read_rest(receive, limit, length, chunk, waiting)

    async def _read_rest(
        self, receive: Receive, limit: int, length: int | None, first: bytes, waiting: asyncio.Timeout
    ) -> bytes:
        loop = asyncio.get_running_loop()
        last = loop.time() + PATIENCE_SECONDS
        chunks, chunk, more, arrived, due = [first], first, True, 0, STEP_BYTES
        try:
            while True:
                self._budget.arrive(self._address, len(chunk))
                arrived += len(chunk)
                if arrived >= due:
                    due = arrived + STEP_BYTES
                    waiting.reschedule(min(last, loop.time() + self._step_seconds))
                if not more or self._held == length:
                    break
                chunk, more = await self._read_chunk(receive, limit)
                chunks.append(chunk)
        finally:
            self._budget.arrived(self._address, arrived)
        return b"".join(chunks)

    async def _read_chunk(self, receive: Receive, limit: int) -> tuple[bytes, bool]:
        message = await receive()
        if message["type"] != "http.request":
            raise Unreadable("the body ended too early")
        chunk = message.get("body", b"")
        if self._held + len(chunk) > limit:
            raise TooLarge(f"the body is larger than {self.limit} bytes")
        self.hold(len(chunk))
        return chunk, message.get("more_body", False)


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    try:
        async with asyncio.timeout(seconds) as waiting:
            yield waiting
    except TimeoutError as error:
        raise Unreadable(
            f"the body came too slowly: {STEP_BYTES} bytes may take {seconds:g} seconds, and all {PATIENCE_SECONDS:g}"
        ) from error


async def throw_away(receive: Receive) -> None:
    """Read on after a refusal, within bounds. A connection that closes with bytes unread takes the answer with it."""
    loop = asyncio.get_running_loop()
    last, left = loop.time() + THROWN_AWAY_SECONDS, THROWN_AWAY_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(THROWN_AWAY_PAUSE) as waiting:
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
                waiting.reschedule(min(last, loop.time() + THROWN_AWAY_PAUSE))


async def json_body(request: Request[Any, Any, Any], kind: type[Document]) -> Document:
    """Return the body as a struct.

    Raises Invalid, which names the field, Unreadable, TooLarge, UnsupportedType or UnsupportedEncoding.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedType("the content type must be application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedEncoding("the content encoding must be identity")
    # Use a separate budget, because this body is not an event and must not use the budgets of events.
    body = Body(Budget("questions", MAX_DOCUMENT_BYTES * SHARE_OF_ADDRESS), MAX_DOCUMENT_BYTES, "")
    sent = await body.read(request.receive, dict(request.scope["headers"]))
    try:
        document = msgspec.json.decode(sent, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"the body is not JSON: {error}") from error
    refuse_repeats(sent)
    return document


def _invalid(said: str) -> Invalid:
    """Return msgspec's error as Invalid, with the field that it names."""
    placed = _PATH.match(said)
    message, place = placed.groups() if placed else (said, "")
    place = place.replace("[...]", "")  # msgspec does not name the key of a mapping
    named = _NAMED.search(message)
    field = ".".join(part for part in (place, named and named[1]) if part)
    return Invalid(message.replace("`", ""), field or None)
