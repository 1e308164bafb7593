"""HTTP out: which properties events have, of which types, and their most frequent values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from service.questions.condition_grammar import path_text, property_path
from service.questions.conditions import Malformed
from service.questions.filters import NAMES
from service.questions.parameters import closed_range, invalid, parse, time_text, whole
from service.questions.segments import Segments
from service.reports.counts import EVENTS
from service.reports.raw_events import RawEvents

DEFAULT_HOURS = 24
DEFAULT_LIMIT = 10
MOST_VALUES = 100
MOST_PROPERTIES = 200
# Names of a path; what lies deeper is found when it is asked for.
MOST_DEPTH = 4
TYPES = ("string", "number", "boolean", "object", "array", "null")
SCALARS = TYPES[:3]
PARAMETERS = NAMES | {"hours", "from", "to", "property", "limit"}


class PropertyValues:
    """Answers `GET /api/analytics/properties`."""

    def __init__(self, raw_events: RawEvents, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._raw_events = raw_events
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the properties of the events of a range, those that most events have first."""
        given = parse(query, PARAMETERS)
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        only = _only(given)
        limit = whole(given, "limit", MOST_VALUES if only else DEFAULT_LIMIT, MOST_VALUES)
        filters = await self._segments.filters(given)
        asked = (only, MOST_DEPTH, MOST_PROPERTIES, limit, filters.document())
        read = self._raw_events.statements.read_properties
        start, rows = await self._raw_events.within_kept(
            since, until, lambda start: self._raw_events.rows(read, start, until, *asked)
        )
        about = {row["measure"]: row["amount"] for row in rows if row["path"] is None}
        return {
            "ok": True,
            "from": time_text(start),
            "to": time_text(until),
            "source": EVENTS,
            "events": about["events"],
            "properties": _properties(row for row in rows if row["path"] is not None),
            "more": about["more"],
        }


def _only(given: Mapping[str, str]) -> list[str] | None:
    """Return the names of the one property that is asked for."""
    if not given.get("property"):
        return None
    try:
        return list(property_path(given["property"]))
    except Malformed as error:
        raise invalid("property", str(error)) from error


def _properties(rows: Iterable[asyncpg.Record]) -> list[dict[str, Any]]:
    by_path: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        by_path.setdefault(row["path"], []).append(row)
    return [_property(path, of_path) for path, of_path in by_path.items()]


def _property(path: str, rows: list[asyncpg.Record]) -> dict[str, Any]:
    types = {row["key"]: row["amount"] for row in rows if row["measure"] == "type"}
    values = [(row["key"], row["amount"]) for row in rows if row["measure"] == "value"]
    (distinct,) = (row["amount"] for row in rows if row["measure"] == "distinct")
    return {
        "property": path_text(msgspec.json.decode(path)),
        "events": sum(types.values()),
        "types": {name: types.get(name, 0) for name in TYPES},
        "values": [{"value": msgspec.Raw(value.encode()), "events": events} for value, events in values],
        "distinct": distinct,
        "other": sum(types.get(name, 0) for name in SCALARS) - sum(events for _, events in values),
    }
