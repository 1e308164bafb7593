"""The range and the filters of a share link, checked as those of a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from service.questions.hours import hour_range
from service.questions.parameters import SHOWN, invalid
from service.questions.segments import Segments

RANGE = frozenset({"hours", "from", "to"})
DEFAULT_HOURS = 168

# Hours, since, until: either the first or the two others are None.
Shown = tuple[int | None, datetime | None, datetime | None]


def shown_range(given: Mapping[str, str], now: datetime) -> Shown:
    """Return the range of `hours`, or of `from` and `to`; the last week without any. Raises InvalidParameter."""
    asked = hour_range({name: given[name] for name in RANGE & given.keys()}, DEFAULT_HOURS, now)
    if asked.until is None:
        return int(asked.hours), None, None
    return None, asked.since, asked.until


async def shown_filters(given: Mapping[str, str], segments: Segments) -> dict[str, str]:
    """Return the filters as texts, with those of the segment in its place, so that its changes do not widen the link.

    Raises Invalid.
    """
    await segments.sent_filters(given)
    chosen = {name: text for name, text in given.items() if text}
    if (name := chosen.pop("segment", None)) is None:
        return chosen
    saved = await segments.texts(name)
    for twice in sorted((saved.keys() & chosen.keys()) - {"where"}):
        if saved[twice] != chosen[twice]:
            raise invalid(f"filters.{twice}", f"differs from that of the segment {name[:SHOWN]!r}: leave one out")
    wheres = [each["where"] for each in (saved, chosen) if each.get("where", "").strip()]
    where = " and ".join(map(_enclosed, wheres)) if len(wheres) > 1 else "".join(wheres)
    merged = chosen | saved | ({"where": where} if where else {})
    await segments.sent_filters(merged)  # together they may be too long
    return merged


def _enclosed(where: str) -> str:
    """Return conditions that may have alternatives in parentheses, so that they stay one among others."""
    return f"({where})" if re.search(r"\bor\b", where) else where
