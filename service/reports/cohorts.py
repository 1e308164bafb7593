"""Retention: users first seen in a day, week or month, and how many of them came back in each later period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import accumulate
from typing import Any

from service.archive.checks import filter_checks
from service.archive.questions import Cohorts as CohortsAsked
from service.questions.buckets import Bounds, bounds_of, complete, whole_periods, zone
from service.questions.filters import NAMES, Filters
from service.questions.hours import time_text
from service.questions.parameters import choice, invalid, parse
from service.questions.ranges import OF_RANGE, closed_range, week_start
from service.questions.segments import Segments
from service.reports.kept_range import EVENTS, PEOPLE, ROLLUPS, KeptRange, begun
from service.reports.raw_events import RawEvents
from sql.database import Database, Row

DEFAULT_HOURS = 2_016  # 12 weeks
INTERVALS = ("day", "week", "month")
OWNERS = ("user", "visitor")
RETENTIONS = ("bounded", "unbounded")
# The most numbers in one answer, enough for 315 days.
MOST_CELLS = 50_000
PARAMETERS = NAMES | OF_RANGE | {"interval", "by", "retention", "return_event_type"}

Rows = Sequence[Row | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about retention.

    interval: one of INTERVALS. first_day: of a week. by: one of OWNERS. retention: one of RETENTIONS.
    return_event_type: only events of this type count as coming back, None for any event.
    """

    since: datetime
    until: datetime
    interval: str
    zone: tzinfo
    first_day: int
    by: str
    retention: str
    return_event_type: str | None
    filters: Filters

    @property
    def source(self) -> str:
        """ROLLUPS or EVENTS. Rollups know who was active, but not with which events."""
        return EVENTS if self.filters or self.return_event_type else ROLLUPS


class Cohorts:
    """Answers `GET /api/analytics/cohorts`."""

    def __init__(
        self, database: Database, raw_events: RawEvents, segments: Segments, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._raw_events = raw_events
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the cohorts of a range, oldest first, each with the counts of its own period and all later ones.

        Raises ServiceError.
        """
        now = self._clock()
        given = parse(query, PARAMETERS)
        question = _question(given, await self._segments.filters(given), now)
        # Admitted even when it reads rollups, because it reads all members ever, and that takes seconds for millions.
        async with self._raw_events.admitted():
            kept = await self._kept(question)
            while True:
                bounds = bounds_of(kept.since, question.until, question.interval, question.zone, question.first_day)
                _check_size(len(bounds) - 1)
                rows, source = await self._rows(question, bounds)
                if not await kept.shrank():
                    break
        return {
            "ok": True,
            "interval": question.interval,
            "tz": given.get("tz", "UTC"),
            "by": question.by,
            "retention": question.retention,
            "from": time_text(kept.since),
            "to": time_text(question.until),
            "source": source,
            "cohorts": _cohorts(question, bounds, rows, now),
        }

    async def _kept(self, question: Question) -> KeptRange:
        if question.source == EVENTS:
            return await self._raw_events.kept(question.since, question.until)
        shards = self._raw_events.shards
        since = await begun(self._database, shards, question.since, question.until)
        return await KeptRange.of(self._database, shards, since, question.until, ROLLUPS, PEOPLE)

    async def _rows(self, question: Question, bounds: Bounds) -> tuple[Rows, str]:
        """Return the rows, and what was counted."""
        if question.source == ROLLUPS:
            query = self._raw_events.statements.cohorts_from_rollups
            shards = await self._raw_events.shards.numbers()
            return await self._raw_events.rows(query, shards, bounds, question.by), ROLLUPS
        checks = filter_checks(question.filters)
        answer = await self._raw_events.ask(
            CohortsAsked(checks=checks, bounds=bounds, by=question.by, return_event_type=question.return_event_type)
        )
        return answer.rows, answer.source


def _question(given: Mapping[str, str], asked: Filters, now: datetime) -> Question:
    since, until = closed_range(given, DEFAULT_HOURS, now)
    return Question(
        since,
        until,
        choice(given, "interval", INTERVALS, "week"),
        zone(given.get("tz", "UTC")),
        week_start(given),
        choice(given, "by", OWNERS, "user"),
        choice(given, "retention", RETENTIONS, "bounded"),
        given.get("return_event_type") or None,
        asked,
    )


def _check_size(periods: int) -> None:
    if periods * (periods + 1) // 2 > MOST_CELLS:
        raise invalid("interval", f"must be longer: {periods} periods make more than {MOST_CELLS} numbers")


def _cohorts(question: Question, bounds: Bounds, rows: Rows, now: datetime) -> list[dict[str, Any]]:
    counts = {(row["cohort"], row["period"]): row for row in rows}
    periods = len(bounds) - 1
    over = complete(bounds, whole_periods(bounds, question.interval, question.zone, question.first_day), now)

    def numbers(cohort: int, of: str) -> list[int]:
        found = (counts.get((cohort, period)) for period in range(cohort, periods + 1))
        return [0 if row is None else row[of] for row in found]

    def returned(cohort: int) -> list[int]:
        if question.retention == "bounded":
            return numbers(cohort, "owners")
        # An owner whose last period is the nth counts as returned in every period up to the nth.
        return [*accumulate(reversed(numbers(cohort, "last_owners")))][::-1]

    return [
        {
            "start": time_text(bounds[cohort - 1]),
            "size": (of_cohort := returned(cohort))[0],
            "returned": of_cohort,
            "complete": over[cohort - 1 :],
        }
        for cohort in range(1, periods + 1)
    ]
