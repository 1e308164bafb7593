"""HTTP out: the totals of a range, compared with an earlier one, and its most frequent keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from service.questions.buckets import COMPARISONS, Bounds, earlier
from service.questions.filters import NAMES
from service.questions.hours import closed_range, time_text
from service.questions.parameters import choice, parse, whole
from service.questions.segments import Segments
from service.reports.counted import Counted, largest
from service.reports.counts import EVENTS, ROLLUPS, Counting, Scope, Wanted
from sql.hourly import METRICS, OTHER

DEFAULT_HOURS = 168
# Keys that a list names.
MOST_KEYS = 50
DEFAULT_LIMIT = 10
MOST_ROWS = 1_000
SUMMARY_PARAMETERS = NAMES | {"hours", "from", "to", "compare"}
TOP_PARAMETERS = NAMES | {"hours", "from", "to", "by", "limit"}
TOP_DIMENSIONS = ("action", "event_type", "tool_name", "risk_mode")
# Lists of the answer by the dimension they are of.
LISTS = {"event_types": "event_type", "tool_usage": "tool_name", "risk_distribution": "risk_mode"}

# What has to be named to know all totals.
TOTALS = tuple(sorted({name for names in METRICS.values() for name in names}))

Compared = tuple[Bounds, Counted] | None


class Summary:
    """Answers `GET /api/analytics/summary` and `GET /api/analytics/top`."""

    def __init__(self, counting: Counting, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._counting = counting
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the totals of a range."""
        given = parse(query, SUMMARY_PARAMETERS)
        compare = choice(given, "compare", COMPARISONS, "none")
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        asked = await self._segments.filters(given)
        scope = Scope(EVENTS if asked else ROLLUPS, since, until, asked)
        cut, (counted, compared) = await self._counting.within_kept(scope, lambda cut: self._read(cut, compare))
        return {
            "ok": True,
            "from": time_text(cut.since),
            "to": time_text(cut.until),
            "source": cut.source,
            "totals": counted.totals(0),
            "compare": await self._compared(cut, compared),
            **{name: _rows(counted, dimension) for name, dimension in LISTS.items()},
            "as_of": counted.as_of,
        }

    async def top(self, query: bytes) -> dict[str, Any]:
        """Return the keys of a dimension that have the most events."""
        given = parse(query, TOP_PARAMETERS)
        by = choice(given, "by", TOP_DIMENSIONS, "action")
        limit = whole(given, "limit", DEFAULT_LIMIT, MOST_ROWS)
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        asked = await self._segments.filters(given)
        scope = Scope(EVENTS if asked or by == "action" else ROLLUPS, since, until, asked)
        cut, counted = await self._counting.within_kept(
            scope, lambda cut: self._counting.read(cut, [cut.since, cut.until], Wanted((by,)))
        )
        named, other = largest(counted.keys(by), limit)
        return {
            "ok": True,
            "by": by,
            "source": cut.source,
            "from": time_text(cut.since),
            "to": time_text(cut.until),
            "total": sum(events for _, events in named) + other,
            "rows": [{"key": key, "events": events} for key, events in named],
            "other": other,
        }

    async def _read(self, cut: Scope, compare: str) -> tuple[Counted, Compared]:
        bounds = [cut.since, cut.until]
        compared = None
        if compare != "none":
            before = earlier(bounds, compare, "hour", UTC)
            compared = before, await self._counting.read(cut, before, Wanted(TOTALS))
        return await self._counting.read(cut, bounds, Wanted((*LISTS.values(), *TOTALS))), compared

    async def _compared(self, cut: Scope, compared: Compared) -> dict[str, Any] | None:
        """Return the totals to compare with, None when not all of their range is kept."""
        if compared is None or compared[0][0] < await self._counting.kept_since(cut.source):
            return None
        (since, until), counted = compared
        return {"from": time_text(since), "to": time_text(until), "totals": counted.totals(0)}


def _rows(counted: Counted, dimension: str) -> list[dict[str, Any]]:
    named, other = largest(counted.keys(dimension), MOST_KEYS)
    return [{"key": key, "events": events} for key, events in (*named, *([(OTHER, other)] if other else []))]
