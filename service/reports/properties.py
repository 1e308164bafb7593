"""The properties of events: their types and their most frequent values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from service.archive.checks import filter_checks
from service.archive.protocol import Row
from service.archive.questions import Properties
from service.questions.condition_grammar import path_text, property_path
from service.questions.conditions import Malformed
from service.questions.filters import NAMES
from service.questions.hours import time_text
from service.questions.parameters import invalid, parse, whole
from service.questions.ranges import OF_RANGE, closed_range
from service.questions.segments import Segments
from service.reports.raw_events import RawEvents

DEFAULT_HOURS = 24
DEFAULT_LIMIT = 10
MOST_VALUES = 100
MOST_PROPERTIES = 200
# The most names in a path. A deeper property is found only when `property` names it.
MOST_DEPTH = 4
TYPES = ("string", "number", "boolean", "object", "array", "null")
SCALARS = TYPES[:3]
PARAMETERS = NAMES | OF_RANGE | {"property", "limit"}


class PropertyValues:
    """Answers `GET /api/analytics/properties`."""

    def __init__(self, raw_events: RawEvents, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._raw_events = raw_events
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the properties of the events in a range, most frequent first. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        only = _only(given)
        limit = whole(given, "limit", MOST_VALUES if only else DEFAULT_LIMIT, MOST_VALUES)
        checks = filter_checks(await self._segments.filters(given))
        question = Properties(
            checks=checks,
            since=since,
            until=until,
            wanted=only,
            most_depth=MOST_DEPTH,
            most_properties=MOST_PROPERTIES,
            most_values=limit,
        )
        answer, kept_since = await self._raw_events.ask_of_kept(question)
        about = {row["measure"]: row["amount"] for row in answer.rows if row["path"] is None}
        return {
            "ok": True,
            "from": time_text(kept_since),
            "to": time_text(until),
            "source": answer.source,
            "events": about["events"],
            "properties": _properties(row for row in answer.rows if row["path"] is not None),
            "more": about["more"],
        }


def _only(given: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the path of the only property to read, None for all properties. Raises InvalidParameter."""
    if not given.get("property"):
        return None
    try:
        return property_path(given["property"])
    except Malformed as error:
        raise invalid("property", str(error)) from error


def _properties(rows: Iterable[Row]) -> list[dict[str, Any]]:
    by_path: dict[str, list[Row]] = {}
    for row in rows:
        by_path.setdefault(row["path"], []).append(row)
    return [_property(path, of_path) for path, of_path in by_path.items()]


def _property(path: str, rows: list[Row]) -> dict[str, Any]:
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
