"""One metric over time. It can be compared with an earlier time, and divided by the keys of a dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from service.archive.sources import source_of_all
from service.questions.buckets import COMPARISONS, INTERVALS, Bounds, bounds_of, complete, earlier, whole_periods, zone
from service.questions.filters import NAMES, Filters
from service.questions.hours import HOUR, closed_range, time_text
from service.questions.parameters import choice, invalid, parse, whole
from service.questions.segments import Segments
from service.reports.counted import Counted, Value, largest
from service.reports.counts import Counts, Scope, Wanted
from service.reports.kept_range import EVENTS, ROLLUPS
from sql.hourly import DIMENSIONS, METRICS, OTHER, ROLLUP_FIELDS

DEFAULT_HOURS = 168
DEFAULT_TOP = 10
MOST_TOP = 50
# The most numbers in one answer: buckets, buckets to compare with, and buckets of groups.
MOST_VALUES = 50_000
# Rollups do not know minutes, so that every minute is counted from raw events.
MOST_HOURS_OF_MINUTES = 6
PARAMETERS = NAMES | {"metric", "interval", "hours", "from", "to", "tz", "compare", "by", "top"}

Bucket = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one metric.

    interval: one of INTERVALS. compare: one of COMPARISONS. by: the dimension to divide by, or None. top: the number of
    its keys to name. tz: the name of the zone.
    """

    scope: Scope
    metric: str
    interval: str
    zone: tzinfo
    tz: str
    compare: str
    by: str | None
    top: int


@dataclass(frozen=True, slots=True)
class Found:
    """The counts that answer a question.

    scope: the kept part of the question's scope. whole: for each bucket, whether it is a whole period. keys: the keys
    to name. compared: the bounds and counts of the earlier range, or None. source: what was counted.
    """

    scope: Scope
    bounds: Bounds
    whole: list[bool]
    counted: Counted
    keys: tuple[str, ...]
    compared: tuple[Bounds, Counted] | None
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
        question = _question(given, await self._segments.filters(given), now)
        found = await self._found(question)
        metric = question.metric
        return {
            "ok": True,
            "metric": metric,
            "interval": question.interval,
            "tz": question.tz,
            "from": time_text(found.scope.since),
            "to": time_text(found.scope.until),
            "source": found.source,
            "buckets": _buckets(found.bounds, found.whole, now, lambda place: found.counted.value(metric, place)),
            "compare": await self._compared(question, found, now),
            "groups": _groups(question, found, now),
            "as_of": found.counted.as_of,
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
        bounds = bounds_of(scope.since, scope.until, question.interval, question.zone)
        _check_size(question, len(bounds) - 1)
        ranked = await self._ranked(question, scope)
        keys = _keys(question, ranked)
        compared = None
        if question.compare != "none":
            before = earlier(bounds, question.compare, question.interval, question.zone)
            compared = before, await self._counts.read(scope, before, _wanted(question.metric))
        counted = await self._counts.read(scope, bounds, _wanted(question.metric, question.by, keys))
        whole = whole_periods(bounds, question.interval, question.zone)
        read = [counted, *([ranked] if ranked else []), *([compared[1]] if compared else [])]
        return Found(scope, bounds, whole, counted, keys, compared, source_of_all(each.source for each in read))

    async def _ranked(self, question: Question, scope: Scope) -> Counted | None:
        """Return the largest counts by key over the whole range; None without a dimension to divide by.

        One more than are named, because (other) may be among them.
        """
        if question.by is None:
            return None
        return await self._counts.read(scope, [scope.since, scope.until], Wanted((question.by,), most=question.top + 1))

    async def _compared(self, question: Question, found: Found, now: datetime) -> list[Bucket] | None:
        if found.compared is None:
            return None
        bounds, counted = found.compared
        known = await self._counts.known(question.scope.source)
        reasons = [known.reason(*ends) for ends in pairwise(bounds)]

        def value(place: int) -> Value:
            return None if reasons[place] else counted.value(question.metric, place)

        whole = [is_whole and known.reaches(start) for is_whole, start in zip(found.whole, bounds, strict=False)]
        buckets = _buckets(bounds, whole, now, value)
        return [bucket | ({"reason": why} if why else {}) for bucket, why in zip(buckets, reasons, strict=True)]


def _question(given: Mapping[str, str], asked: Filters, now: datetime) -> Question:
    metric = choice(given, "metric", METRICS, "events")
    by = choice(given, "by", DIMENSIONS, "") if "by" in given else None
    if by is None and "top" in given:
        raise invalid("top", "needs the parameter by")
    if by is not None and metric == "event_types":
        raise invalid("by", "cannot divide event_types")
    if metric == "new_users" and (asked or by is not None):
        raise invalid("metric", "new_users counts over all events: it takes no filters and no by")
    interval = choice(given, "interval", INTERVALS, "hour")
    since, until = closed_range(given, MOST_HOURS_OF_MINUTES if interval == "minute" else DEFAULT_HOURS, now)
    if interval == "minute":
        _check_minutes(metric, until - since)
    source = ROLLUPS if not asked and interval != "minute" and _is_projected(metric, by) else EVENTS
    tz = given.get("tz", "UTC")
    return Question(
        Scope(source, since, until, asked),
        metric,
        interval,
        zone(tz),
        tz,
        choice(given, "compare", COMPARISONS, "none"),
        by,
        whole(given, "top", DEFAULT_TOP, MOST_TOP),
    )


def _keys(question: Question, ranked: Counted | None) -> tuple[str, ...]:
    """Return the keys with the most events in the range, at most `top`. A key (other) counts with the rest."""
    if question.by is None or ranked is None:
        return ()
    counts = {key: events for key, events in ranked.keys(question.by).items() if key != OTHER}
    named, _ = largest(counts, question.top)
    return tuple(key for key, _ in named)


def _check_minutes(metric: str, length: timedelta) -> None:
    if length > MOST_HOURS_OF_MINUTES * HOUR:
        raise invalid("interval", f"must be quarter or longer in a range of more than {MOST_HOURS_OF_MINUTES} hours")
    if metric == "new_users":
        raise invalid("interval", "must be quarter or longer for new_users, which raw events do not know")


def _is_projected(metric: str, by: str | None) -> bool:
    """Tell whether rollups know the answer. They divide events and tool uses by one dimension, but never sessions."""
    return by is None or (metric == "events" and by in ROLLUP_FIELDS) or (metric == "tool_uses" and by == "tool_name")


def _check_size(question: Question, buckets: int) -> None:
    rows = 1 + (question.compare != "none") + (question.top + 1 if question.by else 0)
    if buckets * rows > MOST_VALUES:
        raise invalid(
            "interval", f"must be longer: {buckets} buckets of {rows} rows make more than {MOST_VALUES} numbers"
        )


def _wanted(metric: str, by: str | None = None, keys: tuple[str, ...] | None = None) -> Wanted:
    """Return the counts that a metric needs, for the whole and for each group."""
    if by is None:
        return Wanted(METRICS[metric], most=0)
    return Wanted((*METRICS[metric], by), keys, by if metric != "events" else None)


def _groups(question: Question, found: Found, now: datetime) -> list[dict[str, Any]] | None:
    by = question.by
    if by is None:
        return None
    places = range(len(found.bounds) - 1)
    rest = any(OTHER in found.counted.keys(by, place) for place in places)

    def group(key: str) -> dict[str, Any]:
        def value(place: int) -> Value:
            return found.counted.part(question.metric, by, key, place)

        return {"key": key, "buckets": _buckets(found.bounds, found.whole, now, value)}

    return [group(key) for key in (*found.keys, *([OTHER] if rest else []))]


def _buckets(bounds: Bounds, whole: list[bool], now: datetime, value: Callable[[int], Value]) -> list[Bucket]:
    texts = [time_text(bound) for bound in bounds]
    ends = zip(pairwise(texts), complete(bounds, whole, now), strict=True)
    return [
        {"start": start, "end": end, "value": value(place), "complete": is_complete}
        for place, ((start, end), is_complete) in enumerate(ends)
    ]
