"""Decompresses gzip bodies, within bounds of size and of ratio."""

from __future__ import annotations

import zlib
from typing import Protocol

from service.errors import TooLarge, Unreadable

_GZIP = 31  # zlib's window bits for a gzip header and trailer
# Small steps, because zlib copies the rest of a step after each member, and a body may hold thousands of tiny members.
_STEP = 4_096
# Events compress to a tenth of their size. A body that expands more is made to cost more than it cost to send.
MOST_RATIO = 100
# A body may expand to this size whatever its ratio.
FREE_BYTES = 65_536


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def gunzip(sent: bytes, limit: int) -> bytes:
    """Return all members of a gzip body, decompressed. Raises Unreadable, and TooLarge once it is over a bound."""
    by_ratio = max(FREE_BYTES, MOST_RATIO * len(sent))
    most = min(limit, by_ratio)
    decoded = bytearray()
    member = zlib.decompressobj(_GZIP)
    for start in range(0, len(sent), _STEP):
        rest = sent[start : start + _STEP]
        while rest:
            member = zlib.decompressobj(_GZIP) if member.eof else member
            decoded += _decompressed(member, rest, most + 1 - len(decoded))
            if len(decoded) > limit:
                raise TooLarge(f"the body is larger than {limit} bytes")
            if len(decoded) > most:
                raise TooLarge(f"the body is more than {MOST_RATIO} times as large as its gzip form")
            rest = member.unused_data
    if sent and not member.eof:
        raise Unreadable("the gzip body ends too early")
    return bytes(decoded)


def _decompressed(member: _Decompressor, data: bytes, most: int) -> bytes:
    try:
        return member.decompress(data, most)
    except zlib.error as error:
        raise Unreadable(f"the body is not gzip: {error}") from error
