"""Lists and timelines are the same wherever events are: in rows, in files of kept days, or some in each.

What they must say follows from the stored rows, by plain Python, before any day left them.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from projections.projector import catch_up
from tests.conftest import Servers
from tests.http.support.site import text_of
from tests.support.kept_events import (
    STORED,
    Passes,
    Stored,
    archive_all,
    bytes_of,
    events_of,
    hard_events,
    keep,
    late_events,
    number_over,
    query_of,
    ranged,
    told,
)
from tests.support.log import NOW
from tests.support.oracle import HOUR
from tests.support.reads import Reads, reads
from tests.support.retired_days import append_all, day, fill
from tests.support.sharded import Sharded, sharded_log

pytestmark = pytest.mark.versions("newest")

LAYOUTS = ("rows", "files", "mixed", "all kept")
# Each filter, and what it means.
FILTERS: dict[str, Passes] = {
    "": lambda _: True,
    "&event_type=odd": lambda event: event["event_type"] == "odd",
    "&tool_name=Home": lambda event: event["tool_name"] == "Home",
    "&tool_name=S%C3%B8k%20%F0%9F%8E%B5&demo_mode=1": lambda event: event["tool_name"] == "Søk 🎵",
    "&session_id=..": lambda event: event["session_id"] == "..",
    "&user_id=u1&event_type=page_viewed": lambda e: e["user_id"] == "u1" and e["event_type"] == "page_viewed",
    "&where=properties.n%20%3E%204": lambda event: number_over(event, 4),
    "&where=properties.n%20%3E%209007199254740992": lambda event: number_over(event, 9007199254740992),
    "&where=user_id%20missing%20and%20event_type%20%3D%20odd": lambda event: (
        event["user_id"] is None and event["event_type"] == "odd"
    ),
    "&event_type=nothing": lambda _: False,
}


@dataclass(frozen=True)
class Kept:
    """A log, what it stored, and where its events are now."""

    sharded: Sharded
    archive: Path
    layout: str
    stored: Sequence[Stored]
    sources: set[str]

    def inside(self, since: datetime, until: datetime, passes: Passes = lambda _: True) -> list[Stored]:
        """Return the stored events of a range that pass, oldest first."""
        return [event for event in self.stored if since <= event["timestamp"] < until and passes(event)]

    def reads(self) -> Any:
        return reads(self.sharded.database, self.sharded.url, archive=self.archive)


@pytest_asyncio.fixture(scope="module", params=LAYOUTS)
async def kept(
    servers: Servers, postgres_version: int, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Kept]:
    """Give a log of five days in one layout; its tests only read."""
    shards = {"rows": 1, "files": 1, "mixed": 3, "all kept": 1}[request.param]
    async with sharded_log(servers, postgres_version, shards) as sharded:
        yield await laid_out(sharded, tmp_path_factory.mktemp("kept") / "archive", request.param)


async def laid_out(sharded: Sharded, archive: Path, layout: str) -> Kept:
    await fill(sharded, hard_events(sharded.shards))
    late = late_events((3, 9))
    if layout == "mixed":
        await archive_all(sharded, archive)
    await append_all(sharded, late, clock=day(10))
    await catch_up(sharded.database)
    stored = [dict(row) for row in await sharded.admin.fetch(STORED)]
    if layout in ("files", "all kept"):
        await archive_all(sharded, archive)
    if layout == "mixed":
        await keep(sharded, 1, archive)
    if layout == "all kept":
        await keep(sharded, 9, archive)
    sources = {"rows": {"events"}, "all kept": {"archive"}}.get(layout, {"events", "archive", "both"})
    return Kept(sharded, archive, layout, stored, sources)


async def walked(ask: Callable[[bytes], Any], query: str, chance: random.Random, most: int) -> list[dict[str, Any]]:
    """Return the answers of all pages, each with another limit."""
    answers = [await ask(f"{query}&limit={chance.randint(1, most)}".encode())]
    while (cursor := answers[-1]["next_cursor"]) is not None:
        answers.append(await ask(f"{query_of(query)}cursor={cursor}&limit={chance.randint(1, most)}".encode()))
    return answers


RANGES = ((day(0), day(11)), (day(0) + 7 * HOUR, day(3) + timedelta(hours=5, minutes=15)), (day(2), day(10)))


async def test_lists_are_the_stored_events_page_by_page(kept: Kept, subtests: pytest.Subtests) -> None:
    chance = random.Random(7)
    async with kept.reads() as asked:
        for filters, passes in FILTERS.items():
            for since, until in [chance.choice(RANGES)] if filters else RANGES:
                with subtests.test(filters=filters, since=since):
                    expected = kept.inside(since, until, passes)[::-1]
                    query = f"{ranged(since, until)}{filters}&total={chance.randint(0, 1)}"
                    answers = await walked(asked.event_list.page, query, chance, 90)
                    assert bytes_of(events_of(answers)) == bytes_of(map(told, expected))
                    assert {answer.get("total_in_range", len(expected)) for answer in answers} == {len(expected)}


async def test_a_range_that_cuts_a_quarter_of_an_hour_is_counted_to_the_microsecond(kept: Kept) -> None:
    async with kept.reads() as asked:
        for event in kept.stored[::25]:
            hours = (NOW - event["timestamp"]) // HOUR
            since = NOW - hours * HOUR
            expected = kept.inside(since, day(100))
            answer = await asked.event_list.page(f"hours={hours}&limit=1".encode())
            assert answer["total_in_range"] == len(expected)


async def test_timelines_are_the_stored_events_and_what_they_tell(kept: Kept, subtests: pytest.Subtests) -> None:
    chance = random.Random(8)
    async with kept.reads() as asked:
        for session in ("..", "é", "late", "s3"):
            with subtests.test(session=session):
                await check_session(kept, asked, session, chance.choice(RANGES), chance)
        for user in (".", "u1", "u2"):
            with subtests.test(user=user):
                await check_user(kept, asked, user, chance.choice(RANGES), chance)


async def check_session(
    kept: Kept, asked: Reads, session: str, within: tuple[datetime, datetime], chance: random.Random
) -> None:
    whole = [event for event in kept.stored if event["session_id"] == session]
    expected = kept.inside(*within, lambda event: event["session_id"] == session)
    answers = await walked(lambda query: asked.timelines.session(session, query), ranged(*within), chance, 30)
    assert bytes_of(events_of(answers)) == bytes_of(map(told, expected))
    for answer in answers:
        assert answer["user_ids"] == sorted({event["user_id"] for event in whole} - {None})
        assert answer["events_in_range"] == len(expected)
        assert (answer["first_seen"], answer["last_seen"]) == (
            text_of(whole[0]["timestamp"]),
            text_of(whole[-1]["timestamp"]),
        )
        assert answer["source"] in kept.sources


async def check_user(
    kept: Kept, asked: Reads, user: str, within: tuple[datetime, datetime], chance: random.Random
) -> None:
    whole = [event for event in kept.stored if event["user_id"] == user]
    expected = kept.inside(*within, lambda event: event["user_id"] == user)[::-1]
    answers = await walked(lambda query: asked.timelines.user(user, query), ranged(*within), chance, 30)
    assert bytes_of(events_of(answers)) == bytes_of(map(told, expected))
    sessions: dict[str, list[Stored]] = {}
    for event in expected:
        sessions.setdefault(event["session_id"], []).append(event)
    # The most recent first, then by id.
    ordered = sorted(sorted(sessions), key=lambda name: sessions[name][0]["timestamp"], reverse=True)
    for answer in answers:
        assert answer["events_in_range"] == len(expected)
        assert answer["sessions_in_range"] == len(sessions)
        assert answer["days_active"] == len({event["timestamp"].date() for event in whole})
        assert (answer["first_seen"], answer["last_seen"]) == (
            text_of(whole[0]["timestamp"]),
            text_of(whole[-1]["timestamp"]),
        )
        assert answer["sessions"] == [
            {
                "session_id": name,
                "first_seen": text_of(sessions[name][-1]["timestamp"]),
                "last_seen": text_of(sessions[name][0]["timestamp"]),
                "events": len(sessions[name]),
            }
            for name in ordered
        ]
        assert answer["source"] in kept.sources
