"""Questions about raw events that are asked beside faults; their right answers are counted by brute force."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from service.archive.answerer import SnapshotAnswerer
from service.archive.protocol import Begin
from service.errors import ArchiveDamaged, Unavailable
from service.ingest.event import Event
from service.questions.hours import time_text
from sql import errors
from sql.database import Database
from tests.faults.table.ground import SECONDS, Ground
from tests.support import funnel_oracle
from tests.support.archive_questions import QUESTIONS, Ids
from tests.support.funnels import ask, funnels_on
from tests.support.reads import Reads, reads

# As service/reports/event_pages.py allows.
PAGE = 1_000
STEPS = [{"event_type": "page_viewed"}, {"event_type": "tool_used"}]


@dataclass(frozen=True, slots=True)
class Settled:
    """Events of a time that does not change while questions about it are asked, or only takes events.

    since, until: whole days. due: answers may leave out what is before, which is past its retention. coming: events
    that it may have, too.
    """

    events: Sequence[Event]
    since: datetime
    until: datetime
    due: datetime
    coming: Sequence[Event] = ()

    @property
    def query(self) -> str:
        """The range as parameters."""
        return f"from={self.since:%Y-%m-%dT00:00Z}&to={self.until:%Y-%m-%dT00:00Z}"

    def shown(self, start: str | None) -> Settled:
        """Return what an answer must count that begins at `start`. Raises AssertionError when it begins too late."""
        since = self.since if start is None else datetime.fromisoformat(start)
        if since > self.due:
            raise AssertionError(f"the answer begins at {since}, and {self.due} is kept")
        return replace(self, since=since, events=[each for each in self.events if since <= each.timestamp < self.until])


async def _list(found: Reads, settled: Settled, more: str = "", tool: str | None = None) -> bool:
    answer = await found.event_list.page(f"{settled.query}&limit={PAGE}{more}".encode())
    events = [each for each in settled.shown(answer.get("from")).events if tool is None or each.tool_name == tool]
    newest = sorted(((each.timestamp, each.event_id) for each in events), reverse=True)
    told = [each["event_id"] for each in answer["events"]]
    return answer["total_in_range"] == len(events) and told == [event_id for _, event_id in newest[:PAGE]]


async def _filtered_list(found: Reads, settled: Settled) -> bool:
    return await _list(found, settled, "&tool_name=Home", "Home")


async def _trend(found: Reads, settled: Settled) -> bool:
    answer = await found.trends.page(f"{settled.query}&interval=day&by=event_type&tool_name=Home".encode())
    events = [each for each in settled.shown(answer["from"]).events if each.tool_name == "Home"]
    expected = Counter((f"{each.timestamp:%Y-%m-%d}", each.event_type) for each in events)
    told = {
        (bucket["start"][:10], group["key"]): bucket["value"]
        for group in answer["groups"]
        for bucket in group["buckets"]
        if bucket["value"]
    }
    return told == expected


async def _funnel(found: Reads, settled: Settled) -> bool:
    asked = {"steps": STEPS, "window_minutes": 60}
    question = asked | {"from": time_text(settled.since), "to": time_text(settled.until)}
    answer = await ask(funnels_on(found), question)
    events = [each._asdict() | {"position": 0, "shard": 0} for each in settled.shown(answer["from"]).events]
    runs = funnel_oracle.runs(events, asked).values()
    told = [{name: value for name, value in step.items() if name != "dropped_ids"} for step in answer["steps"]]
    return _rounded(told) == _rounded(funnel_oracle.steps(list(runs), len(STEPS)))


async def _ids(answerer: SnapshotAnswerer, settled: Settled) -> bool:
    """Ask for the ids of a time that takes events: each that is settled must be there, and none twice."""
    found = await answerer.answer(msgspec.msgpack.encode(Ids(since=settled.since, until=settled.until)))
    told = Counter(row["event_id"] for row in found.rows)
    least = Counter(each.event_id for each in settled.events)
    return least <= told <= Counter({*least, *(each.event_id for each in settled.coming)})


def _rounded(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value and round(value, 6) for name, value in step.items()} for step in steps]


REPORTS: tuple[Callable[[Reads, Settled], Awaitable[bool]], ...] = (_list, _filtered_list, _trend, _funnel)


@asynccontextmanager
async def asked(ground: Ground, *settled: Settled) -> AsyncIterator[None]:
    """Ask one question after another during the block, and each once more after it; count wrong answers.

    settled: what the questions are about, in turn.
    """
    stop = asyncio.Event()
    async with _askers(ground) as (found, answerer):
        asking = asyncio.create_task(_ask_until(stop, ground, found, answerer, settled))
        try:
            yield
        finally:
            stop.set()
            await asking
        await _ask(ground, found, answerer, settled)


@asynccontextmanager
async def _askers(ground: Ground) -> AsyncIterator[tuple[Reads, SnapshotAnswerer]]:
    """Give the service's reads, and what tells ids."""
    folder = str(ground.folder)
    answerer = SnapshotAnswerer(Begin(ground.url, str(ground.archive), folder, folder, 1, SECONDS), QUESTIONS)
    database = Database(ground.url, connections=2)
    try:
        async with reads(database, ground.url, SECONDS, archive=ground.archive) as found:
            yield found, answerer
    finally:
        await database.close()
        await answerer.close()


async def _ask_until(
    stop: asyncio.Event, ground: Ground, found: Reads, answerer: SnapshotAnswerer, settled: Sequence[Settled]
) -> None:
    while not stop.is_set():
        await _ask(ground, found, answerer, settled)


async def _ask(ground: Ground, found: Reads, answerer: SnapshotAnswerer, settled: Sequence[Settled]) -> None:
    for about in settled:
        if about.coming:
            await _judge(ground, _ids(answerer, about))
            continue
        for question in REPORTS:
            await _judge(ground, question(found, about))


async def _judge(ground: Ground, answer: Awaitable[bool]) -> None:
    """Count an answer. A refusal for a moment is none, unless it says that something is damaged."""
    try:
        right = await answer
    except ArchiveDamaged:
        right = False
    except (Unavailable, errors.Unavailable):
        return
    ground.row.answers += 1
    ground.row.wrong_answers += not right
