"""Reads request bodies. It bounds size and time while reading, and size while decompressing."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import msgspec
from litestar import Request
from litestar.types import Receive

from service.errors import Invalid, TooLarge, Unreadable
from service.http.answers import Headers
from service.http.refusals import UnsupportedEncoding, UnsupportedType
from service.ingest.admission import Admission

PATIENCE_SECONDS = 60.0
# The limit of a body that is not an event: a question, or something to save.
MAX_DOCUMENT_BYTES = 65_536
_GZIP = 31  # zlib's window bits for a gzip header and trailer
# Gzip may add this much to content that it cannot compress: headers, and some bytes per block.
_GZIP_SLACK = 4_096
# Small steps, because zlib copies the rest of a step after each member, and a body may hold thousands of tiny members.
_GZIP_STEP = 4_096
# Matches messages of msgspec such as "Expected `int`, got `str` - at `$.steps[0].action`".
_PATH = re.compile(r"(.*) - at `(?:\$\.?)?(.*)`$")
_NAMED = re.compile(r"field `([^`]*)`")

Document = TypeVar("Document")


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Body:
    """The decoded body of one request. Its bytes count as waiting to be stored until `release`.

    limit: the most bytes of the decoded body. patience: seconds for everything after the first chunk, because slow
    senders must not hold the whole byte budget.
    """

    def __init__(self, admission: Admission, limit: int, patience: float | None = PATIENCE_SECONDS) -> None:
        self._admission = admission
        self._limit = limit
        self._patience = patience
        self._held = 0

    async def read(self, receive: Receive, headers: Headers) -> bytes:
        """Return the body, decoded. Raises Unreadable, TooLarge, UnsupportedEncoding or QueueFull."""
        encoding = headers.get(b"content-encoding", b"").strip().lower()
        if encoding in (b"", b"identity"):
            return await self._read_all(receive, headers, self._limit)
        if encoding != b"gzip":
            raise UnsupportedEncoding("the content encoding must be gzip or identity")
        decoded = self._gunzip(await self._read_all(receive, headers, self._limit + _GZIP_SLACK))
        self._hold(len(decoded))
        return decoded

    def release(self) -> None:
        """Stop counting the body."""
        self._admission.release(self._held)
        self._held = 0

    def _hold(self, count: int) -> None:
        self._admission.hold(count)
        self._held += count

    async def _read_all(self, receive: Receive, headers: Headers, limit: int) -> bytes:
        declared = headers.get(b"content-length", b"")
        length = int(declared) if declared.isdigit() else None
        if length is not None and length > limit:
            raise self._too_large()
        chunk, more = await self._read_chunk(receive, limit)
        # Once the declared length has arrived, do not ask for more: that costs a timer and another trip through the
        # server's threads.
        if not more or self._held == length:
            return chunk
        chunks = [chunk]
        async with _patience(self._patience):
            while more and self._held != length:
                chunk, more = await self._read_chunk(receive, limit)
                chunks.append(chunk)
        return b"".join(chunks)

    async def _read_chunk(self, receive: Receive, limit: int) -> tuple[bytes, bool]:
        message = await receive()
        if message["type"] != "http.request":
            raise Unreadable("the body ended too early")
        chunk = message.get("body", b"")
        if self._held + len(chunk) > limit:
            raise self._too_large()
        self._hold(len(chunk))
        return chunk, message.get("more_body", False)

    def _gunzip(self, sent: bytes) -> bytes:
        """Decompress all members of a gzip body, never more than one byte over the limit."""
        decoded = bytearray()
        member = zlib.decompressobj(_GZIP)
        for start in range(0, len(sent), _GZIP_STEP):
            rest = sent[start : start + _GZIP_STEP]
            while rest:
                member = zlib.decompressobj(_GZIP) if member.eof else member
                decoded += _decompressed(member, rest, self._limit + 1 - len(decoded))
                if len(decoded) > self._limit:
                    raise self._too_large()
                rest = member.unused_data
        if sent and not member.eof:
            raise Unreadable("the gzip body ends too early")
        return bytes(decoded)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is larger than {self._limit} bytes")


def _decompressed(member: _Decompressor, data: bytes, most: int) -> bytes:
    try:
        return member.decompress(data, most)
    except zlib.error as error:
        raise Unreadable(f"the body is not gzip: {error}") from error


@asynccontextmanager
async def _patience(seconds: float | None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unreadable(f"the body did not end within {seconds:g} seconds") from error


async def json_body(request: Request[Any, Any, Any], kind: type[Document]) -> Document:
    """Return the body as a struct.

    Raises Invalid, which names the field, Unreadable, TooLarge, UnsupportedType or UnsupportedEncoding.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedType("the content type must be application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedEncoding("the content encoding must be identity")
    # Use a separate admission, because this body is not an event and must not use the byte budget of events.
    # The limit of time includes the wait for the first chunk, so the body needs no limit of its own.
    body = Body(Admission(), MAX_DOCUMENT_BYTES, patience=None)
    async with _patience(PATIENCE_SECONDS):
        sent = await body.read(request.receive, dict(request.scope["headers"]))
    try:
        return msgspec.json.decode(sent, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"the body is not JSON: {error}") from error


def _invalid(said: str) -> Invalid:
    """Return msgspec's error as Invalid, with the field that it names."""
    placed = _PATH.match(said)
    message, place = placed.groups() if placed else (said, "")
    place = place.replace("[...]", "")  # msgspec does not name the key of a mapping
    named = _NAMED.search(message)
    field = ".".join(part for part in (place, named and named[1]) if part)
    return Invalid(message.replace("`", ""), field or None)
