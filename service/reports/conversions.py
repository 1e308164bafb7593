"""How many visits and visitors reach a goal, also by a field or property."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from service.archive.checks import checks_of, filter_checks
from service.archive.conversion_questions import Conversions as Question
from service.questions.divisions import Division, division
from service.questions.filters import NAMES
from service.questions.goals import Goal, Goals
from service.questions.hours import time_text
from service.questions.parameters import parse, whole
from service.questions.ranges import OF_RANGE, closed_range
from service.questions.segments import Segments
from service.reports.measured import exact
from service.reports.raw_events import RawEvents
from sql.hourly import OTHER

DEFAULT_HOURS = 168
DEFAULT_LIMIT = 10
MOST_GROUPS = 100
PARAMETERS = NAMES | OF_RANGE | {"by", "limit"}

_NOTHING: Mapping[str, Any] = {
    "visitors": 0,
    "sessions": 0,
    "reached_visitors": 0,
    "reached_sessions": 0,
    "conversions": 0,
    "value": None,
}


class Conversions:
    """Answers `GET /api/analytics/goals/{name}/conversions`."""

    def __init__(self, raw_events: RawEvents, segments: Segments, goals: Goals, clock: Callable[[], datetime]) -> None:
        self._raw_events = raw_events
        self._segments = segments
        self._goals = goals
        self._clock = clock

    async def page(self, name: str, query: bytes) -> dict[str, Any]:
        """Return the conversions of a range, and of each key of `by`. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        goal = await self._goals.named(name)
        by = division("by", given["by"]) if given.get("by") else None
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        answer, kept_since = await self._raw_events.ask_of_kept(await self._question(given, goal, by, since, until))
        everything = next((row for row in answer.rows if row["whole"]), _NOTHING)
        has_value = bool(goal.value)
        return {
            "ok": True,
            "goal": name,
            "from": time_text(kept_since),
            "to": time_text(until),
            "source": answer.source,
            **_numbers(everything, has_value=has_value),
            "groups": by and _groups([row for row in answer.rows if not row["whole"]], has_value=has_value),
        }

    async def _question(
        self, given: Mapping[str, str], goal: Goal, by: Division | None, since: datetime, until: datetime
    ) -> Question:
        dimension, path = by or (None, None)
        return Question(
            checks=filter_checks(await self._segments.filters(given)),
            since=since,
            until=until,
            goal=checks_of(goal.conditions()),
            value=goal.value_path(),
            divided_by=dimension,
            path=path,
            most=whole(given, "limit", DEFAULT_LIMIT, MOST_GROUPS),
        )


def _numbers(row: Mapping[str, Any], *, has_value: bool) -> dict[str, Any]:
    def rate(of: str) -> float | None:
        return row[f"reached_{of}"] / row[of] if row[of] else None

    names = ("visitors", "sessions", "reached_visitors", "reached_sessions", "conversions")
    return {
        **{name: row[name] for name in names},
        "rate_visitors": rate("visitors"),
        "rate_sessions": rate("sessions"),
        "value": exact(row["value"] or "0") if has_value else None,
    }


def _groups(rows: list[Mapping[str, Any]], *, has_value: bool) -> list[dict[str, Any]]:
    """Return the groups: those with the most sessions first, (other) last."""
    ordered = sorted(rows, key=lambda row: (row["key"] == OTHER, -row["sessions"], row["key"]))
    return [{"key": row["key"], **_numbers(row, has_value=has_value)} for row in ordered]
