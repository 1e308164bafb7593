"""Compresses whole answers, and answers 304 when the client has the same one. Streams pass as they are.

Litestar's middleware would compress on the event loop, compress each file anew for each request, and miss the list of
events, which does not go through the framework.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import cache, lru_cache
from hashlib import blake2b
from typing import NamedTuple

from litestar.datastructures import MutableScopeHeaders
from litestar.types import HTTPResponseStartEvent, Message, Send

from service.http.answers import Headers
from service.web import assets

# A packet holds less in any case.
LEAST_BYTES = 1_024
# More is compressed beside the event loop, which these hold for about a millisecond.
MOST_AT_ONCE = 32_768
# Files are compressed once, data for each answer. Set-up has compressed the browser client by brotli.
LEVEL_OF_FILES = 9
LEVEL_OF_DATA = 4
MOST_FILES = 256


class Packed(NamedTuple):
    """The tag of a body, and the body as it is sent."""

    tag: str
    body: bytes


class Compression:
    """The `send` of one request. asked: its headers. is_read: whether the client may keep the answer."""

    def __init__(self, send: Send, asked: Headers, *, is_read: bool) -> None:
        self._send = send
        self._asked = asked
        self._is_read = is_read
        self._start: HTTPResponseStartEvent | None = None

    async def __call__(self, message: Message) -> None:
        """Send a message. The head waits for the first part of the body, which tells whether it is the only one."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                message["body"] = await self._packed(start, message.get("body", b""))
            await self._send(start)
        await self._send(message)

    async def _packed(self, start: HTTPResponseStartEvent, body: bytes) -> bytes:
        """Return what is sent of a whole body. Complete the head."""
        headers = MutableScopeHeaders(start)
        is_long = len(body) >= LEAST_BYTES
        is_file = "no-store" not in headers.get("cache-control", "")
        encoding = _encoding(self._asked, body, is_file=is_file) if is_long else None
        pack = _packed_file if is_file else _packed_data
        is_large = len(body) > MOST_AT_ONCE
        tag, sent = await asyncio.to_thread(pack, body, encoding) if is_large else pack(body, encoding)
        if is_long:
            headers.extend_header_value("vary", "Accept-Encoding")
        if self._is_read and start["status"] == 200:
            headers["etag"] = tag
            if _is_known(tag, self._asked):
                start["status"] = 304
                for name in ("content-type", "content-length"):
                    headers.pop(name, None)
                return b""
        if encoding:
            headers["content-encoding"] = encoding
        headers["content-length"] = str(len(sent))
        return sent


def _encoding(asked: Headers, body: bytes, *, is_file: bool) -> str | None:
    """Return the smallest form of a body that the client takes; None for the body itself."""
    if is_file and _accepts(asked, "br") and body in _brotli_forms():
        return "br"
    return "gzip" if _accepts(asked, "gzip") else None


def _accepts(asked: Headers, encoding: str) -> bool:
    for choice in asked.get(b"accept-encoding", b"").decode("latin-1").lower().split(","):
        name, _, weight = choice.replace(" ", "").partition(";")
        if name in (encoding, "*"):
            return not weight or weight.strip("q=0.") != ""
    return False


def _is_known(tag: str, asked: Headers) -> bool:
    known = asked.get(b"if-none-match", b"").decode("latin-1")
    return tag.removeprefix("W/") in {each.strip().removeprefix("W/") for each in known.split(",")}


@cache
def _brotli_forms() -> dict[bytes, bytes]:
    return assets.brotli_forms()


def _packed(body: bytes, encoding: str | None, level: int) -> Packed:
    # A weak tag, because it is the same for all encodings.
    tag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
    if encoding == "br":
        return Packed(tag, _brotli_forms()[body])
    return Packed(tag, gzip.compress(body, level, mtime=0) if encoding else body)


@lru_cache(MOST_FILES)
def _packed_file(body: bytes, encoding: str | None) -> Packed:
    return _packed(body, encoding, LEVEL_OF_FILES)


def _packed_data(body: bytes, encoding: str | None) -> Packed:
    return _packed(body, encoding, LEVEL_OF_DATA)
