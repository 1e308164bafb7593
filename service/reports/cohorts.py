"""HTTP out: of those who were first seen in a day, week or month, how many came back in each of the following."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import accumulate
from typing import Any

import asyncpg

from service.questions.buckets import Bounds, bounds_of, complete, whole_periods, zone
from service.questions.filters import NAMES, Filters
from service.questions.parameters import choice, closed_range, invalid, parse, time_text
from service.questions.segments import Segments
from service.reports.counts import EVENTS, ROLLUPS
from service.reports.kept_range import kept_since, read_within_kept
from service.reports.raw_events import RawEvents
from sql.database import Database

DEFAULT_HOURS = 2_016  # 12 weeks
INTERVALS = ("day", "week", "month")
OWNERS = ("user", "visitor")
RETENTIONS = ("bounded", "unbounded")
# Cells of one answer: of 315 days.
MOST_CELLS = 50_000
PARAMETERS = NAMES | {"interval", "tz", "by", "retention", "return_event_type", "hours", "from", "to"}

Found = tuple[Bounds, list[asyncpg.Record]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. return_event_type: of the events that count as coming back, None for any."""

    since: datetime
    until: datetime
    interval: str
    zone: tzinfo
    by: str
    retention: str
    return_event_type: str | None
    filters: Filters

    @property
    def source(self) -> str:
        """What is counted: the projection knows who was there, not by what."""
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
        """Return the cohorts of a range, oldest first, each with as many periods as there are from its own on."""
        now = self._clock()
        given = parse(query, PARAMETERS)
        question = _question(given, await self._segments.filters(given), now)
        since, (bounds, rows) = await self._within_kept(question)
        return {
            "ok": True,
            "interval": question.interval,
            "tz": given.get("tz", "UTC"),
            "by": question.by,
            "retention": question.retention,
            "from": time_text(since),
            "to": time_text(question.until),
            "source": question.source,
            "cohorts": _cohorts(question, bounds, rows, now),
        }

    async def _within_kept(self, question: Question) -> tuple[datetime, Found]:
        """Return since when everything of the range is kept, and what was read from then on."""

        async def read(since: datetime) -> Found:
            bounds = bounds_of(since, question.until, question.interval, question.zone)
            _check_size(len(bounds) - 1)
            return bounds, await self._rows(question, bounds)

        if question.source == EVENTS:
            return await self._raw_events.within_kept(question.since, question.until, read)
        # All members of all time are read: seconds where there are millions, so with the long questions.
        async with self._raw_events.admitted():
            return await read_within_kept(ROLLUPS, question.since, question.until, self._people_since, read)

    async def _rows(self, question: Question, bounds: Bounds) -> list[asyncpg.Record]:
        statements = self._raw_events.statements
        if question.source == ROLLUPS:
            return await self._raw_events.rows(statements.cohorts_from_rollups, bounds, question.by)
        rest = (question.by, question.return_event_type, question.filters.document())
        return await self._raw_events.rows(statements.cohorts_from_events, bounds, *rest)

    async def _people_since(self) -> datetime:
        return await kept_since(self._database, "rollups_since", "people_since")


def _question(given: Mapping[str, str], asked: Filters, now: datetime) -> Question:
    since, until = closed_range(given, DEFAULT_HOURS, now)
    return Question(
        since,
        until,
        choice(given, "interval", INTERVALS, "week"),
        zone(given.get("tz", "UTC")),
        choice(given, "by", OWNERS, "user"),
        choice(given, "retention", RETENTIONS, "bounded"),
        given.get("return_event_type") or None,
        asked,
    )


def _check_size(periods: int) -> None:
    if periods * (periods + 1) // 2 > MOST_CELLS:
        raise invalid("interval", f"must be longer: {periods} periods make more than {MOST_CELLS} numbers")


def _cohorts(question: Question, bounds: Bounds, rows: Iterable[asyncpg.Record], now: datetime) -> list[dict[str, Any]]:
    counts = {(row["cohort"], row["period"]): row for row in rows}
    periods = len(bounds) - 1
    over = complete(bounds, whole_periods(bounds, question.interval, question.zone), now)

    def numbers(cohort: int, of: str) -> list[int]:
        found = (counts.get((cohort, period)) for period in range(cohort, periods + 1))
        return [0 if row is None else row[of] for row in found]

    def returned(cohort: int) -> list[int]:
        if question.retention == "bounded":
            return numbers(cohort, "owners")
        # Who was last there in a period was there in it or later, and so in every one before.
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
