"""Page views, visits and visitors of a range, and what the visits are like; and who is there now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.archive.checks import filter_checks
from service.archive.measure_questions import Visits as Question
from service.archive.sources import source_of_all
from service.archive.top_questions import Top
from service.questions.buckets import Bounds
from service.questions.conditions import PROPERTIES
from service.questions.filters import NAMES
from service.questions.hours import time_text
from service.questions.page_events import PAGE, PAGE_VIEWED
from service.questions.parameters import parse
from service.questions.ranges import OF_COMPARISON, OF_RANGE, closed_range, comparison
from service.questions.segments import Segments
from service.reports.counted import Counted
from service.reports.counts import Counts, Scope, Wanted
from service.reports.kept_range import EVENTS
from service.reports.measured import VISIT_METRICS, Measured
from sql.hourly import METRICS

DEFAULT_HOURS = 168
PARAMETERS = NAMES | OF_RANGE | OF_COMPARISON
# How long somebody counts as being there.
MINUTES = 5
MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What was read of a range."""

    counted: Counted
    visits: Measured

    @property
    def numbers(self) -> dict[str, Any]:
        """The numbers in the form of answers."""
        return {
            "page_views": self.counted.keys("event_type").get(PAGE_VIEWED, 0),
            "visits": self.counted.value("sessions", 0),
            "visitors": self.counted.value("visitors", 0),
            **{metric: self.visits.value(metric, 0) for metric in VISIT_METRICS},
        }

    @property
    def source(self) -> str:
        """Where it was read."""
        return source_of_all([self.counted.source, self.visits.source])


class Visits:
    """Answers `GET /api/analytics/visits` and `GET /api/analytics/now`."""

    def __init__(self, counts: Counts, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._counts = counts
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the numbers of a range, and of the one to compare with. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        compare = comparison(given)
        scope = await self._scope(given)
        async with self._counts.admitted(EVENTS):
            kept = await self._counts.kept(scope)
            while True:
                cut = scope.within(kept)
                found = await self._read(cut, [cut.since, cut.until])
                compared = await self._compared(cut, compare.whole([cut.since, cut.until])) if compare else None
                if not await kept.shrank():
                    break
        return {
            "ok": True,
            "from": time_text(cut.since),
            "to": time_text(cut.until),
            "source": found.source,
            **found.numbers,
            "compare": compared,
        }

    async def _scope(self, given: Mapping[str, str]) -> Scope:
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        return Scope(EVENTS, since, until, await self._segments.filters(given))

    async def _read(self, scope: Scope, bounds: Bounds) -> Found:
        wanted = Wanted(("event_type", *METRICS["visitors"]), keys=(PAGE_VIEWED,))
        counted = await self._counts.read(scope, bounds, wanted)
        answer = await self._counts.ask(Question(checks=filter_checks(scope.filters), bounds=bounds))
        return Found(counted, Measured(answer.rows, answer.source))

    async def _compared(self, scope: Scope, bounds: Bounds) -> dict[str, Any] | None:
        """Return the numbers to compare with; None when they are not kept completely, and before the data."""
        since, until = bounds
        known = await self._counts.known(EVENTS)
        if known.reason(since, until):
            return None
        found = await self._read(scope, bounds)
        began = {} if known.reaches(since) else {"data_from": time_text(known.began)}
        return {"from": time_text(since), "to": time_text(until), **began, **found.numbers}

    async def now(self, query: bytes) -> dict[str, Any]:
        """Return who has sent events in the last minutes, and from which pages. Raises ServiceError."""
        given = parse(query, NAMES)
        until = self._clock()
        checks = filter_checks(await self._segments.filters(given))
        async with self._counts.admitted(EVENTS):
            answer = await self._counts.ask(
                Top(
                    checks=checks,
                    since=until - timedelta(minutes=MINUTES),
                    until=until,
                    divided_by=PROPERTIES,
                    path=PAGE,
                    rank="visitors",
                    counts_members=True,
                    most=MOST_PAGES,
                )
            )
        (everything,) = (row for row in answer.rows if row["kind"] == "all")
        return {
            "ok": True,
            "minutes": MINUTES,
            **{name: everything[name] for name in ("visitors", "sessions", "events")},
            "pages": [{"path": row["key"], "visitors": row["visitors"]} for row in answer.rows if row["kind"] == "key"],
            "as_of": time_text(until),
        }
