"""Tells which saved segments name an id."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

# What may be next to an id in a condition without being a part of it.
_WORD = r"[^\s\"'(),=<>!]"


def naming(filters: str, ids: Iterable[str]) -> bool:
    """Tell whether the filters of a segment, as JSON, name one of some ids: as a value, or as a word of a condition."""
    values = msgspec.json.decode(filters, type=dict[str, str]).values()
    return any(_names(value, id_) for value in values for id_ in ids)


def _names(text: str, id_: str) -> bool:
    quoted = msgspec.json.encode(id_).decode()[1:-1]
    return any(re.search(rf"(?<!{_WORD}){re.escape(each)}(?!{_WORD})", text) for each in {id_, quoted})
