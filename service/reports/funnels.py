"""Funnels: how many sessions or users reach each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from service.archive.checks import filter_checks
from service.archive.protocol import Row
from service.archive.questions import Funnel as Question
from service.questions.goals import Goals
from service.questions.hours import time_text
from service.questions.ranges import closed_range
from service.questions.segments import Segments
from service.reports.funnel_body import FunnelBody, breakdown_of, steps_of
from service.reports.raw_events import RawEvents
from sql.hourly import OTHER

DEFAULT_HOURS = 168
MOST_GROUPS = 10
MOST_IDS = 100

Funnel = list[dict[str, Any]]


class Funnels:
    """Answers `POST /api/analytics/funnels`."""

    def __init__(self, raw_events: RawEvents, segments: Segments, goals: Goals, clock: Callable[[], datetime]) -> None:
        self._raw_events = raw_events
        self._segments = segments
        self._goals = goals
        self._clock = clock

    async def answer(self, body: FunnelBody, *, names_ids: bool = False) -> dict[str, Any]:
        """Return each step of the funnel and, with a breakdown, of each group. Raises ServiceError.

        names_ids: whether to name the ids that dropped at a step.
        """
        since, until = closed_range(body.range, DEFAULT_HOURS, self._clock())
        question = await self._question(body, since, until, MOST_IDS if names_ids else 0)
        answer, kept_since = await self._raw_events.ask_of_kept(question)
        whole = [row for row in answer.rows if row["whole"]]
        groups = {"groups": _groups([row for row in answer.rows if not row["whole"]])} if question.divided_by else {}
        return {
            "ok": True,
            "by": body.by,
            "steps": _steps(whole, len(body.steps), named=names_ids),
            **groups,
            "source": answer.source,
            "from": time_text(kept_since),
            "to": time_text(until),
        }

    async def _question(self, body: FunnelBody, since: datetime, until: datetime, most_ids: int) -> Question:
        breakdown = breakdown_of(body.breakdown)
        return Question(
            checks=filter_checks(await self._segments.sent_filters(body.filters)),
            since=since,
            until=until,
            by_user=body.by == "user",
            strict=body.order == "strict",
            window_minutes=body.window_minutes,
            steps=await steps_of(body.steps, self._goals),
            divided_by=breakdown and breakdown.dimension,
            path=breakdown and breakdown.path,
            most_keys=MOST_GROUPS,
            most_ids=most_ids,
        )


def _groups(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the groups: the largest first, then (other), then the group without a key."""
    by_key: dict[str | None, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row["key"], []).append(row)
    steps = {key: _steps(found, len(found), named=False) for key, found in by_key.items()}

    def order(key: str | None) -> tuple[bool, bool, int, str]:
        return key is None, key == OTHER, -steps[key][0]["reached"], key or ""

    return [{"key": key, "steps": steps[key]} for key in sorted(steps, key=order)]


def _steps(rows: Sequence[Row], steps: int, *, named: bool) -> Funnel:
    """Return the steps in the form of answers. A funnel without runs has no rows."""
    by_step = {row["step"]: row for row in rows}
    reached = [by_step[number]["reached"] if number in by_step else 0 for number in range(1, steps + 1)]

    def step(place: int) -> dict[str, Any]:
        row = by_step.get(place + 1)
        last = place + 1 == steps
        told = {
            "reached": reached[place],
            "rate_from_first": _rate(reached[place], reached[0]),
            "rate_from_previous": _rate(reached[place], reached[place - 1]) if place else None,
            "median_seconds": row and row["median"],
            "p90_seconds": row and row["p90"],
            "dropped": 0 if last else reached[place] - reached[place + 1],
        }
        return told | {"dropped_ids": (row and row["dropped_ids"]) or []} if named else told

    return [step(place) for place in range(steps)]


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
