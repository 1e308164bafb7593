"""Questions about events that are not archived yet, each against one plain GROUP BY of the same events by session.

For events in the archive see bench/archive.py. More than a million others are no normal state of a log.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from bench.ground import WEB, Ground, Grounds
from bench.rows import MILLISECONDS, Goal, NotCounted, Row, in_turns, most
from bench.web_data import TOOLS, TYPES
from service.archive.engine import Engine
from service.questions.goals import Goals
from service.questions.segments import Segments
from service.reports.funnel_body import FunnelBody
from service.reports.funnels import Funnels
from service.reports.raw_events import RawEvents

PEER = "one GROUP BY of the same events by session"
# More than the service allows, so that a question that is too slow is measured, too.
STATEMENT_SECONDS = 120
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """A question. goals: the milliseconds that its answer may take at most, by number of stored events."""

    what: str
    ask: Callable[[Asking], Awaitable[Any]]
    goals: dict[int, float]

    def goal(self, events: int) -> Goal | None:
        """Return the goal for a number of stored events, or None."""
        return most(self.goals[events]) if events in self.goals else None


@dataclass(frozen=True, slots=True)
class Asking:
    """The service's reports without HTTP, and the range of the questions, which covers all events."""

    ground: Ground
    funnels: Funnels
    range: dict[str, str]

    async def funnel(self, **asked: Any) -> None:
        """Ask for a funnel. Raises NotCounted when no session or user reaches its last step."""
        answer = await self.funnels.answer(msgspec.convert(asked | self.range, FunnelBody), names_ids=True)
        if not answer["steps"][-1]["reached"]:
            raise NotCounted("no session or user reached the last step of a funnel")


def funnel(what: str, goals: dict[int, float], **asked: Any) -> Question:
    """Return the question of a funnel."""
    return Question(f"funnel, {what}", lambda asking: asking.funnel(**asked), goals)


BY_TOOL = [{"tool_name": tool} for tool in TOOLS[:3]]
BY_TYPE = [{"event_type": kind} for kind in dict.fromkeys(TYPES)]
GOALS = {1_000_000: 1_000.0}
QUESTIONS = (
    funnel("3 tools, half of the events", GOALS, steps=BY_TOOL),
    funnel("3 types, all of the events", GOALS, steps=BY_TYPE),
    funnel("3 tools, strict", GOALS, steps=BY_TOOL, order="strict"),
    funnel("3 tools, within 10 minutes", GOALS, steps=BY_TOOL, window_minutes=10),
    funnel("3 tools, by user", GOALS, steps=BY_TOOL, by="user"),
    funnel("3 tools, for each type", GOALS, steps=BY_TOOL, breakdown="event_type"),
)


async def measure(grounds: Grounds) -> list[Row]:
    """Measure every question."""
    return await _measured(await grounds.of(WEB))


async def _measured(ground: Ground) -> list[Row]:
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + DAY
    since = until - 9 * DAY
    async with _asking(ground, since, until) as asking:

        async def peer() -> float:
            row = await ground.database.only(ground.statements.count_by_session, since, until)
            return float(row["sessions"])

        steps = {PEER: _timed(peer)}
        for question in QUESTIONS:
            steps[question.what] = _timed(partial(question.ask, asking))
        for step in steps.values():
            await step()  # warm up caches and plans
        found = await in_turns(ground.size.runs, steps)
    size = f"{ground.size.events:,} events stored"
    return [
        Row(f"{each.what}, {size}", MILLISECONDS, found[each.what], PEER, found[PEER], each.goal(ground.size.events))
        for each in QUESTIONS
    ]


def _timed(work: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[float]]:
    async def step() -> float:
        started = perf_counter()
        await work()
        return (perf_counter() - started) * 1_000

    return step


@asynccontextmanager
async def _asking(ground: Ground, since: datetime, until: datetime) -> AsyncIterator[Asking]:
    scratch = Path(tempfile.gettempdir())
    engine = Engine(ground.url, scratch / "no archive", scratch, seconds=STATEMENT_SECONDS)
    raw_events = RawEvents(ground.url, engine, STATEMENT_SECONDS)
    segments = Segments(ground.database, ground.database)
    goals = Goals(ground.database, ground.database)
    funnels = Funnels(raw_events, segments, goals, lambda: datetime.now(UTC))
    try:
        yield Asking(ground, funnels, {"from": since.isoformat(), "to": until.isoformat()})
    finally:
        await raw_events.close()
