"""One metric over time. It can be compared with an earlier time, and divided by the keys of a dimension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from service.archive.questions import PART
from service.archive.sources import source_of_all
from service.questions.buckets import Bounds, bounds_of, complete, whole_periods
from service.questions.hours import time_text
from service.questions.parameters import invalid, parse
from service.questions.segments import Segments
from service.reports.counted import Counted, largest
from service.reports.counts import Counts, Scope, Wanted
from service.reports.measured import Measured
from service.reports.trend_measures import measured
from service.reports.trend_question import PARAMETERS, Question, path_of, question_of
from sql.hourly import OTHER

# The most numbers in one answer: buckets, buckets to compare with, and buckets of groups.
MOST_VALUES = 50_000

Bucket = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The counts that answer a question.

    scope: the kept part of the question's scope. whole: for each bucket, whether it is a whole period. keys: the keys
    to name, None without any. compared: bounds, whole periods and counts of the range to compare with, or None. source:
    what was counted.
    """

    scope: Scope
    bounds: Bounds
    whole: list[bool]
    counted: Counted | Measured
    keys: tuple[str, ...] | None
    compared: tuple[Bounds, list[bool], Counted | Measured] | None
    source: str


class Trends:
    """Answers `GET /api/analytics/trends`."""

    def __init__(self, counts: Counts, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._counts = counts
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the buckets of a range, oldest first, empty ones included. Raises ServiceError."""
        now = self._clock()
        given = parse(query, PARAMETERS)
        question = question_of(given, await self._segments.filters(given), now)
        found = await self._found(question)
        counted = found.counted
        of = {"of": path_of(question.of)} if question.of else {}
        return {
            "ok": True,
            "metric": question.metric,
            **of,
            "interval": question.interval,
            "tz": question.tz,
            "from": time_text(found.scope.since),
            "to": time_text(found.scope.until),
            "source": found.source,
            "buckets": _buckets(found.bounds, found.whole, now, lambda place: counted.value(question.counted, place)),
            "compare": await self._compared(question, found, now),
            "groups": _groups(question, found, now),
            **({"not_numbers": counted.not_numbers} if question.of and isinstance(counted, Measured) else {}),
            "as_of": counted.as_of,
        }

    async def _found(self, question: Question) -> Found:
        """Read the kept part of the range. Read again when retention drops its start meanwhile."""
        async with self._counts.admitted(question.scope.source):
            kept = await self._counts.kept(question.scope)
            while True:
                found = await self._read(question, question.scope.within(kept))
                if not await kept.shrank():
                    return found

    async def _read(self, question: Question, scope: Scope) -> Found:
        interval, zone, first_day = question.interval, question.zone, question.first_day
        bounds = bounds_of(scope.since, scope.until, interval, zone, first_day)
        before = question.compare.bounds(bounds, interval, zone, first_day) if question.compare else []
        _check_size(question, bounds, before)
        ranked = await self._ranked(question, scope)
        keys = _keys(question, ranked)
        whole = whole_periods(bounds, interval, zone, first_day)
        compared = None
        if before:
            is_same = question.compare.range is None
            of_before = whole if is_same else whole_periods(before, interval, zone, first_day)
            compared = before, of_before, await measured(self._counts, question, scope, before)
        counted = await measured(self._counts, question, scope, bounds, keys)
        read = [counted, *([ranked] if ranked else []), *([compared[2]] if compared else [])]
        return Found(scope, bounds, whole, counted, keys, compared, source_of_all(each.source for each in read))

    async def _ranked(self, question: Question, scope: Scope) -> Counted | None:
        """Return the largest counts by key over the whole range; None without a dimension to divide by.

        One more than are named, because (other) may be among them.
        """
        if question.by is None:
            return None
        measure = question.measure
        wanted = Wanted((measure,), divided_by=question.by if measure == PART else None, most=question.top + 1)
        return await self._counts.read(scope, [scope.since, scope.until], wanted)

    async def _compared(self, question: Question, found: Found, now: datetime) -> list[Bucket] | None:
        if found.compared is None:
            return None
        bounds, is_whole, counted = found.compared
        known = await self._counts.known(question.scope.source)
        reasons = [known.reason(*ends) for ends in pairwise(bounds)]

        def value(place: int) -> Any:
            return None if reasons[place] else counted.value(question.counted, place)

        whole = [one and known.reaches(start) for one, start in zip(is_whole, bounds, strict=False)]
        buckets = _buckets(bounds, whole, now, value)
        return [bucket | ({"reason": why} if why else {}) for bucket, why in zip(buckets, reasons, strict=True)]


def _keys(question: Question, ranked: Counted | None) -> tuple[str, ...] | None:
    """Return the keys with the most events in the range, at most `top`. A key (other) counts with the rest."""
    if ranked is None:
        return None
    counts = {key: events for key, events in ranked.keys(question.measure).items() if key != OTHER}
    named, _ = largest(counts, question.top)
    return tuple(key for key, _ in named)


def _check_size(question: Question, bounds: Bounds, before: Bounds) -> None:
    rows = 1 + (question.top + 1 if question.by else 0)
    if (numbers := len(bounds[1:]) * rows + len(before[1:])) > MOST_VALUES:
        raise invalid("interval", f"must be longer: the buckets make {numbers} numbers, more than {MOST_VALUES}")


def _groups(question: Question, found: Found, now: datetime) -> list[dict[str, Any]] | None:
    if found.keys is None:
        return None
    by = question.measure
    places = range(len(found.bounds) - 1)
    rest = any(OTHER in found.counted.keys(by, place) for place in places)

    def group(key: str) -> dict[str, Any]:
        def value(place: int) -> Any:
            return found.counted.part(question.counted, by, key, place)

        return {"key": key, "buckets": _buckets(found.bounds, found.whole, now, value)}

    return [group(key) for key in (*found.keys, *([OTHER] if rest else []))]


def _buckets(bounds: Bounds, whole: list[bool], now: datetime, value: Callable[[int], Any]) -> list[Bucket]:
    texts = [time_text(bound) for bound in bounds]
    ends = zip(pairwise(texts), complete(bounds, whole, now), strict=True)
    return [
        {"start": start, "end": end, "value": value(place), "complete": is_complete}
        for place, ((start, end), is_complete) in enumerate(ends)
    ]
