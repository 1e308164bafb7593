"""The keys of a field or property that have the most events, sessions or visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.archive.checks import filter_checks
from service.archive.top_questions import Top
from service.questions.divisions import Division, division
from service.questions.filters import NAMES, Filters
from service.questions.hours import time_text
from service.questions.parameters import choice, parse, whole
from service.questions.ranges import OF_RANGE, closed_range
from service.questions.segments import Segments
from service.reports.counted import largest
from service.reports.counts import Counts, Scope, Wanted
from service.reports.kept_range import EVENTS, ROLLUPS
from sql.hourly import DIMENSIONS, ROLLUP_FIELDS

DEFAULT_HOURS = 168
DEFAULT_LIMIT = 10
MOST_ROWS = 1_000
METRICS = ("events", "sessions", "visitors")
DEFAULT_BY = "action"
PARAMETERS = NAMES | OF_RANGE | {"by", "metric", "search", "limit"}

# Where it was read, and what was found.
Found = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question for keys. metric: one of METRICS, None to count events alone. search: a part of the keys, or None."""

    scope: Scope
    by: Division
    metric: str | None
    search: str | None
    limit: int

    @property
    def is_plain(self) -> bool:
        """Whether it asks for the events of a field's keys alone, which rollups may know."""
        return self.metric is None and self.search is None and self.by.dimension in DIMENSIONS


class TopKeys:
    """Answers `GET /api/analytics/top`."""

    def __init__(self, counts: Counts, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._counts = counts
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the largest keys, and what all others have. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        question = self._question(given, await self._segments.filters(given))
        read = self._plain if question.is_plain else self._counted
        async with self._counts.admitted(question.scope.source):
            kept = await self._counts.kept(question.scope)
            while True:
                cut = question.scope.within(kept)
                source, found = await read(question, cut)
                if not await kept.shrank():
                    break
        return {
            "ok": True,
            "by": given.get("by", DEFAULT_BY),
            **({"metric": question.metric} if question.metric else {}),
            "source": source,
            "from": time_text(cut.since),
            "to": time_text(cut.until),
            **found,
        }

    def _question(self, given: Mapping[str, str], filters: Filters) -> Question:
        by = division("by", given.get("by", DEFAULT_BY))
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        metric = choice(given, "metric", METRICS, "") if "metric" in given else None
        search = given.get("search") or None
        is_projected = not filters and metric is None and search is None and by.dimension in ROLLUP_FIELDS
        scope = Scope(ROLLUPS if is_projected else EVENTS, since, until, filters)
        return Question(scope, by, metric, search, whole(given, "limit", DEFAULT_LIMIT, MOST_ROWS))

    async def _plain(self, question: Question, cut: Scope) -> Found:
        by, limit = question.by.dimension, question.limit
        counted = await self._counts.read(cut, [cut.since, cut.until], Wanted((by,), most=limit))
        named, other = largest(counted.keys(by), limit)
        other += counted.rest(by)
        return counted.source, {
            "total": sum(events for _, events in named) + other,
            "rows": [{"key": key, "events": events} for key, events in named],
            "other": other,
        }

    async def _counted(self, question: Question, cut: Scope) -> Found:
        """Return the keys, and for sessions and visitors the distinct ones of all keys and of those not named."""
        metric = question.metric
        answer = await self._counts.ask(
            Top(
                checks=filter_checks(cut.filters),
                since=cut.since,
                until=cut.until,
                divided_by=question.by.dimension,
                path=question.by.path,
                rank=metric or "events",
                counts_members=metric is not None,
                search=question.search,
                most=question.limit,
            )
        )
        names = METRICS if metric else METRICS[:1]
        of_kind = {row["kind"]: row for row in answer.rows}
        return answer.source, {
            "total": of_kind["keyed"][metric or "events"],
            "rows": [
                {"key": row["key"]} | {name: row[name] for name in names} for row in answer.rows if row["kind"] == "key"
            ],
            "other": of_kind["other"][metric or "events"],
        }
