"""The totals of a range, compared with an earlier one, and its most frequent keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from service.questions.buckets import COMPARISONS, Bounds, earlier
from service.questions.filters import NAMES
from service.questions.hours import closed_range, time_text
from service.questions.parameters import choice, parse, whole
from service.questions.segments import Segments
from service.reports.counts import Counted, Counts, Scope, Wanted, largest
from service.reports.kept_range import EVENTS, ROLLUPS
from sql.hourly import METRICS, OTHER, ROLLUP_FIELDS

DEFAULT_HOURS = 168
# The most keys in a list.
MOST_KEYS = 50
DEFAULT_LIMIT = 10
MOST_ROWS = 1_000
SUMMARY_PARAMETERS = NAMES | {"hours", "from", "to", "compare"}
TOP_PARAMETERS = NAMES | {"hours", "from", "to", "by", "limit"}
TOP_DIMENSIONS = ("action", *ROLLUP_FIELDS)
# The lists of an answer, and the dimension of each.
LISTS = {"event_types": "event_type", "tool_usage": "tool_name", "risk_distribution": "risk_mode"}

# The measures that the totals need.
TOTALS = tuple(sorted({name for names in METRICS.values() for name in names}))

Compared = tuple[Bounds, Counted] | None


class Summary:
    """Answers `GET /api/analytics/summary` and `GET /api/analytics/top`."""

    def __init__(self, counts: Counts, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._counts = counts
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the totals of a range, and of the earlier range to compare with. Raises ServiceError."""
        given = parse(query, SUMMARY_PARAMETERS)
        compare = choice(given, "compare", COMPARISONS, "none")
        scope = await self._scope(given)
        async with self._counts.admitted(scope.source):
            kept = await self._counts.kept(scope)
            while True:
                cut = scope.within(kept)
                counted, compared = await self._read(cut, compare)
                if not await kept.shrank():
                    break
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
        """Return the most frequent keys of a dimension, and the sum of the others. Raises ServiceError."""
        given = parse(query, TOP_PARAMETERS)
        by = choice(given, "by", TOP_DIMENSIONS, "action")
        limit = whole(given, "limit", DEFAULT_LIMIT, MOST_ROWS)
        scope = await self._scope(given, by)
        async with self._counts.admitted(scope.source):
            kept = await self._counts.kept(scope)
            while True:
                cut = scope.within(kept)
                counted = await self._counts.read(cut, [cut.since, cut.until], Wanted((by,)))
                if not await kept.shrank():
                    break
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

    async def _scope(self, given: Mapping[str, str], by: str = "event_type") -> Scope:
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        filters = await self._segments.filters(given)
        source = ROLLUPS if not filters and by in ROLLUP_FIELDS else EVENTS
        return Scope(source, since, until, filters)

    async def _read(self, cut: Scope, compare: str) -> tuple[Counted, Compared]:
        bounds = [cut.since, cut.until]
        compared = None
        if compare != "none":
            before = earlier(bounds, compare, "hour", UTC)
            compared = before, await self._counts.read(cut, before, Wanted(TOTALS))
        return await self._counts.read(cut, bounds, Wanted((*LISTS.values(), *TOTALS))), compared

    async def _compared(self, cut: Scope, compared: Compared) -> dict[str, Any] | None:
        """Return the totals to compare with.

        None when not asked for, when their range is not kept completely, and when the data began after it.
        """
        if compared is None:
            return None
        (since, until), counted = compared
        known = await self._counts.known(cut.source)
        if known.reason(since, until):
            return None
        return {
            "from": time_text(since),
            "to": time_text(until),
            **({} if known.reaches(since) else {"data_from": time_text(known.began)}),
            "totals": counted.totals(0),
        }


def _rows(counted: Counted, dimension: str) -> list[dict[str, Any]]:
    named, other = largest(counted.keys(dimension), MOST_KEYS)
    rest = [{"key": OTHER, "events": other, "rest": True}] if other else []  # told from a key of that name
    return [*({"key": key, "events": events} for key, events in named), *rest]
