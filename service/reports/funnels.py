"""Funnels: how many sessions or users reach each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from service.questions.hours import closed_range, time_text
from service.questions.segments import Segments
from service.reports.funnel_body import FunnelBody, breakdown_of, steps_of
from service.reports.kept_range import EVENTS
from service.reports.raw_events import RawEvents
from sql.database import Row
from sql.hourly import OTHER

DEFAULT_HOURS = 168
MOST_GROUPS = 10
MOST_IDS = 100

Funnel = list[dict[str, Any]]


class Funnels:
    """Answers `POST /api/analytics/funnels`.

    names_ids: whether answers name the ids that dropped at a step. Only a service with a read token names them.
    """

    def __init__(
        self, raw_events: RawEvents, segments: Segments, clock: Callable[[], datetime], *, names_ids: bool
    ) -> None:
        self._raw_events = raw_events
        self._segments = segments
        self._clock = clock
        self._names_ids = names_ids

    async def answer(self, body: FunnelBody) -> dict[str, Any]:
        """Return each step of the funnel and, with a breakdown, of each group. Raises ServiceError."""
        since, until = closed_range(body.range, DEFAULT_HOURS, self._clock())
        asked = (body.by == "user", body.order == "strict", body.window_minutes, *steps_of(body.steps))
        breakdown = breakdown_of(body.breakdown)
        filters = (await self._segments.sent_filters(body.filters)).document()
        most = (MOST_GROUPS, MOST_IDS if self._names_ids else 0)
        read = self._raw_events.statements.read_funnel
        async with self._raw_events.admitted():
            kept = await self._raw_events.kept(since, until)
            while True:
                rows = await self._raw_events.rows(read, kept.since, until, *asked, *breakdown, *most, filters)
                if not await kept.shrank():
                    break
        whole = [row for row in rows if row["whole"]]
        groups = {"groups": _groups([row for row in rows if not row["whole"]])} if breakdown.dimension else {}
        return {
            "ok": True,
            "by": body.by,
            "steps": _steps(whole, len(body.steps), named=self._names_ids),
            **groups,
            "source": EVENTS,
            "from": time_text(kept.since),
            "to": time_text(until),
        }


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
