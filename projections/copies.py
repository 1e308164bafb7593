"""Reads copies of heads that are kept elsewhere: one JSON object per line, as commands print them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

Head = TypeVar("Head", bound=msgspec.Struct)


def read_copy(lines: Iterable[bytes], kind: type[Head]) -> list[Head]:
    """Return the heads of a copy. Blank lines are skipped.

    Raises msgspec.DecodeError, which names the line and the field.
    """
    return [_head(number, line, kind) for number, line in enumerate(lines, start=1) if line.strip()]


def _head(number: int, line: bytes, kind: type[Head]) -> Head:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise msgspec.DecodeError(f"line {number} of the copy: {error}") from error
