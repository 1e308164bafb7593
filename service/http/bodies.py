"""Reads request bodies: bounded while they are read and while they are decompressed."""

from __future__ import annotations

import asyncio
import zlib
from typing import Protocol

from litestar.types import Receive

from service.errors import TooLarge, Unreadable
from service.http.refusals import UnsupportedEncoding
from service.ingest.admission import Admission

Headers = dict[bytes, bytes]

PATIENCE_SECONDS = 60.0
_GZIP = 31  # zlib's window bits for a gzip header and trailer
# What gzip may add to content that it cannot make smaller: headers, and some bytes a block.
_GZIP_SLACK = 4_096
# A body of thousands of tiny members is copied once for each member that a step finds in it.
_GZIP_STEP = 4_096


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Body:
    """The decoded body of one request; its bytes count as waiting to be stored until `release`.

    limit: bytes of the decoded body. patience: seconds for all of it to come. Slow senders must not hold the whole
    byte budget.
    """

    def __init__(self, admission: Admission, limit: int, patience: float = PATIENCE_SECONDS) -> None:
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
        # All that was declared has come: to be told that there is no more would take another way through the server's
        # threads, and a timer.
        if not more or self._held == length:
            return chunk
        chunks = [chunk]
        try:
            async with asyncio.timeout(self._patience):
                while more and self._held != length:
                    chunk, more = await self._read_chunk(receive, limit)
                    chunks.append(chunk)
        except TimeoutError as error:
            raise Unreadable(f"the body did not end within {self._patience:g} seconds") from error
        return b"".join(chunks)

    async def _read_chunk(self, receive: Receive, limit: int) -> tuple[bytes, bool]:
        message = await receive()
        if message["type"] != "http.request":
            raise Unreadable("the body ended before it was whole")
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
