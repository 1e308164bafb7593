"""The totals of a range, compared with an earlier one, also by bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

from service.archive.sources import source_of_all
from service.questions.buckets import INTERVALS, Bounds, bounds_of, complete, whole_periods, zone
from service.questions.filters import NAMES
from service.questions.hours import time_text
from service.questions.parameters import choice, invalid, parse
from service.questions.ranges import OF_COMPARISON, OF_RANGE, Comparison, closed_range, comparison, week_start
from service.questions.segments import Segments
from service.reports.counted import Counted, largest
from service.reports.counts import Counts, Scope, Wanted
from service.reports.kept_range import EVENTS, ROLLUPS
from sql.hourly import METRICS, OTHER

DEFAULT_HOURS = 168
# The most keys in a list.
MOST_KEYS = 50
# The most numbers in the buckets of an answer.
MOST_VALUES = 50_000
# Rollups do not know minutes.
SUMMARY_INTERVALS = INTERVALS[1:]
SUMMARY_PARAMETERS = NAMES | OF_RANGE | OF_COMPARISON | {"interval"}
# The lists of an answer, and the dimension of each.
LISTS = {"event_types": "event_type", "tool_usage": "tool_name", "risk_distribution": "risk_mode"}

# The measures that the totals need.
TOTALS = tuple(sorted({name for names in METRICS.values() for name in names}))

Compared = tuple[Bounds, Counted] | None


@dataclass(frozen=True, slots=True)
class Course:
    """The buckets that a summary is to have, too. interval: one of SUMMARY_INTERVALS. first_day: of a week."""

    interval: str
    zone: tzinfo
    first_day: int

    def bounds(self, cut: Scope) -> Bounds:
        """Return the bounds of the buckets. Raises InvalidParameter when they are too many."""
        bounds = bounds_of(cut.since, cut.until, self.interval, self.zone, self.first_day)
        if (numbers := (len(bounds) - 1) * len(METRICS)) > MOST_VALUES:
            raise invalid("interval", f"must be longer: the buckets make {numbers} numbers, more than {MOST_VALUES}")
        return bounds

    def buckets(self, bounds: Bounds, counted: Counted, now: datetime) -> list[dict[str, Any]]:
        """Return the totals of each bucket."""
        whole = whole_periods(bounds, self.interval, self.zone, self.first_day)
        is_complete = complete(bounds, whole, now)
        return [
            {
                "start": time_text(since),
                "end": time_text(until),
                "totals": counted.totals(place),
                "complete": is_complete[place],
            }
            for place, (since, until) in enumerate(pairwise(bounds))
        ]


@dataclass(frozen=True, slots=True)
class Read:
    """What was counted of a range, and of the earlier one and in each bucket where these were asked for."""

    counted: Counted
    compared: Compared
    course: tuple[Bounds, Counted] | None


class Summary:
    """Answers `GET /api/analytics/summary`."""

    def __init__(self, counts: Counts, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._counts = counts
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the totals of a range, and of the earlier range to compare with. Raises ServiceError."""
        given = parse(query, SUMMARY_PARAMETERS)
        compare = comparison(given)
        course = _course(given)
        now = self._clock()
        scope = await self._scope(given)
        async with self._counts.admitted(scope.source):
            kept = await self._counts.kept(scope)
            while True:
                cut = scope.within(kept)
                read = await self._read(cut, compare, course)
                if not await kept.shrank():
                    break
        counted, compared = read.counted, read.compared
        return {
            "ok": True,
            "from": time_text(cut.since),
            "to": time_text(cut.until),
            "source": source_of_all([counted.source, *([compared[1].source] if compared else [])]),
            "totals": counted.totals(0),
            "compare": await self._compared(cut, compared),
            **({"buckets": course.buckets(*read.course, now)} if course and read.course else {}),
            **{name: _rows(counted, dimension) for name, dimension in LISTS.items()},
            "as_of": counted.as_of,
        }

    async def _scope(self, given: Mapping[str, str]) -> Scope:
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        filters = await self._segments.filters(given)
        return Scope(EVENTS if filters else ROLLUPS, since, until, filters)

    async def _read(self, cut: Scope, compare: Comparison, course: Course | None) -> Read:
        bounds = [cut.since, cut.until]
        compared = None
        if compare:
            before = compare.whole(bounds)
            compared = before, await self._counts.read(cut, before, Wanted(TOTALS, most=0))
        wanted = Wanted((*LISTS.values(), *TOTALS), most=MOST_KEYS)
        if course is None:
            return Read(await self._counts.read(cut, bounds, wanted), compared, None)
        by_bucket = course.bounds(cut)
        each, of_whole = await self._counts.read_with_whole(cut, by_bucket, Wanted(TOTALS, most=0), wanted)
        return Read(of_whole, compared, (by_bucket, each))

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


def _course(given: Mapping[str, str]) -> Course | None:
    if "interval" in given:
        return Course(choice(given, "interval", SUMMARY_INTERVALS, ""), zone(given.get("tz", "UTC")), week_start(given))
    if "tz" in given and "range" not in given:
        raise invalid("tz", "needs the parameter interval or range")
    return None


def _rows(counted: Counted, dimension: str) -> list[dict[str, Any]]:
    named, other = largest(counted.keys(dimension), MOST_KEYS)
    other += counted.rest(dimension)
    rest = [{"key": OTHER, "events": other, "rest": True}] if other else []  # told from a key of that name
    return [*({"key": key, "events": events} for key, events in named), *rest]
