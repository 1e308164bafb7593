"""Funnels with known answers, the limits on named groups and ids, and a real log of 30 days."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from service.errors import ServiceError
from service.http.answers import status_of
from service.ingest.event import Event
from sql.database import Database
from tests.conftest import NEWEST, RETENTION_DAYS, Servers
from tests.support.funnel_oracle import STORED, inside
from tests.support.funnels import ask, check, funnels, in_range
from tests.support.imports import Counts, imported
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import START
from tests.support.retired_days import append_all
from tests.support.sharded import Sharded, sharded_log

MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
A, B, C = ({"event_type": kind} for kind in "abc")
HELD = START, START + 2 * HOUR
SONGS = [{"tool_name": name} for name in ("Home", "NextSong", "Upgrade", "Submit Upgrade")]


def story(*told: tuple[str, timedelta], session: str = "s1", user: str | None = None, first: int = 0) -> list[Event]:
    """Return events of one session, each given by its type and its time after START."""
    return [
        an_event(first + number, at=START + at, session=session, kind=kind)._replace(user_id=user)
        for number, (kind, at) in enumerate(told)
    ]


async def reached(database: Database, url: str, events: list[Event], **asked: Any) -> list[int]:
    await append(database, events)
    async with funnels(database, url) as found:
        answer = await ask(found, in_range(asked, *HELD))
    return [step["reached"] for step in answer["steps"]]


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [
        # A window includes its last microsecond.
        ([("a", 0 * MINUTE), ("b", MINUTE)], {"window_minutes": 1}, [1, 1]),
        ([("a", 0 * MINUTE), ("b", MINUTE + MICROSECOND)], {"window_minutes": 1}, [1, 0]),
        # The window counts from the first step; a run with a later start may get further.
        ([("a", 0 * MINUTE), ("b", MINUTE), ("c", 2 * MINUTE)], {"steps": [A, B, C], "window_minutes": 1}, [1, 1, 0]),
        ([("a", 0 * MINUTE), ("a", MINUTE), ("b", 2 * MINUTE)], {"window_minutes": 1}, [1, 1]),
        # The position decides between equal times.
        ([("a", MINUTE), ("b", MINUTE)], {}, [1, 1]),
        ([("b", MINUTE), ("a", MINUTE)], {}, [1, 0]),
        # An event counts for one step at most.
        ([("a", MINUTE)], {"steps": [A, A]}, [1, 0]),
        ([("a", MINUTE), ("a", MINUTE)], {"steps": [A, A]}, [1, 1]),
        # With strict order nothing may lie between two steps, except events that the filters exclude.
        ([("a", 0 * MINUTE), ("c", MINUTE), ("b", 2 * MINUTE)], {}, [1, 1]),
        ([("a", 0 * MINUTE), ("c", MINUTE), ("b", 2 * MINUTE)], {"order": "strict"}, [1, 0]),
        (
            [("a", 0 * MINUTE), ("c", MINUTE), ("b", 2 * MINUTE)],
            {"order": "strict", "filters": {"where": "event_type != c"}},
            [1, 1],
        ),
        # Events outside the range do not count.
        ([("a", HOUR), ("b", 2 * HOUR)], {}, [1, 0]),
        ([("a", -MICROSECOND), ("b", MINUTE)], {}, [0, 0]),
    ],
)
async def test_a_run_is_what_its_definition_says(
    database: Database, database_url: str, told: list[tuple[str, timedelta]], asked: Any, expected: list[int]
) -> None:
    assert await reached(database, database_url, story(*told), **({"steps": [A, B]} | asked)) == expected


async def test_the_deepest_run_counts_and_of_equals_the_first(database: Database, database_url: str) -> None:
    told = [("a", 0), ("b", 1), ("a", 4), ("b", 6), ("c", 7), ("a", 8), ("b", 9), ("c", 10)]
    await append(database, story(*((kind, at * MINUTE) for kind, at in told)))
    async with funnels(database, database_url) as found:
        answer = await ask(found, in_range({"steps": [A, B, C], "window_minutes": 5}, *HELD))
        whole = await ask(found, in_range({"steps": [A, B, C]}, *HELD))
    assert [step["median_seconds"] for step in answer["steps"]] == [None, 120, 60]
    assert [step["median_seconds"] for step in whole["steps"]] == [None, 60, 360]


@pytest_asyncio.fixture
async def three_shards(servers: Servers) -> Any:
    async with sharded_log(servers, NEWEST, 3) as sharded:
        yield sharded


async def test_users_cross_sessions_and_shards(three_shards: Sharded) -> None:
    names = [f"s{number}" for number in range(20)]
    low, high = (next(name for name in names if three_shards.shard_of(name) == shard) for shard in (0, 2))
    # The shard decides between equal times and positions: u1 has a before b, u2 has b before a.
    events = [
        *story(("a", MINUTE), session=low, user="u1"),
        *story(("b", MINUTE), session=high, user="u1", first=1),
        *story(("b", 2 * MINUTE), session=low, user="u2", first=2),
        *story(("a", 2 * MINUTE), session=high, user="u2", first=3),
        *story(("a", 3 * MINUTE), ("b", 4 * MINUTE), session=low, first=4),
    ]
    for event in events:
        await append_all(three_shards, [event], clock=NOW)
    async with funnels(three_shards.database, three_shards.url) as found:
        by_user = await ask(found, in_range({"steps": [A, B], "by": "user"}, *HELD))
        by_session = await ask(found, in_range({"steps": [A, B]}, *HELD))
    assert [step["reached"] for step in by_user["steps"]] == [2, 1]
    assert by_user["steps"][0]["dropped_ids"] == ["u2"]
    assert [step["reached"] for step in by_session["steps"]] == [2, 1]


async def test_ten_groups_are_named_and_a_hundred_ids(database: Database, database_url: str) -> None:
    events = []
    for session in range(150):
        kind = '{"plan": "%s"}' % (f"p{session % 12:02}" if session < 140 else "(other)")
        events += [
            event._replace(properties=None if session % 15 == 14 else kind)
            for event in story(("a", session * MINUTE / 2), session=f"s{session:03}", first=session)
        ]
    await append(database, events)
    asked = in_range({"steps": [A, B], "breakdown": "properties.plan"}, *HELD)
    async with funnels(database, database_url) as found:
        answer = await ask(found, asked)
        unknown = await ask(found, asked | {"breakdown": "properties.plan.of"})
        nobody = await ask(found, asked | {"steps": [C, B]})
    keys = [group["key"] for group in answer["groups"]]
    assert len(keys) == 12
    assert keys[-2:] == ["(other)", None]
    assert sum(group["steps"][0]["reached"] for group in answer["groups"]) == 150
    assert "dropped_ids" not in answer["groups"][0]["steps"][0]
    assert answer["steps"][0]["dropped"] == 150
    assert answer["steps"][0]["dropped_ids"] == [f"s{session:03}" for session in range(149, 49, -1)]
    assert [group["key"] for group in unknown["groups"]] == [None]
    nothing = {"rate_from_first": None, "rate_from_previous": None, "median_seconds": None, "p90_seconds": None}
    assert nobody["steps"] == [{"reached": 0, **nothing, "dropped": 0, "dropped_ids": []}] * 2
    assert nobody["groups"] == []
    connection = await asyncpg.connect(database_url)
    try:
        stored: list[Any] = await connection.fetch(STORED)
        check(answer, asked, stored)
    finally:
        await connection.close()


async def test_nothing_is_said_of_what_is_gone(database: Database, database_url: str) -> None:
    await database.only(database.statements.advance_horizon, 0, RETENTION_DAYS, NOW, True)
    async with funnels(database, database_url) as found:
        with pytest.raises(ServiceError) as refused:
            await ask(found, {"steps": [A, B], "from": "2024-01-01T00:00Z", "to": "2024-01-02T00:00Z"})
        assert (status_of(refused.value).number, refused.value.code) == (422, "expired")
        answer = await ask(found, {"steps": [A, B]})
    until = NOW.replace(minute=0, second=0) + HOUR
    assert (answer["from"], answer["to"]) == tuple(
        f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" for moment in (until - 168 * HOUR, until)
    )


@pytest.mark.parametrize("by", ["session", "user"])
@pytest.mark.parametrize("order", ["loose", "strict"])
async def test_how_listeners_come_to_upgrade(
    database: Database, database_url: str, shared_data: Path, tmp_path: Path, by: str, order: str
) -> None:
    file = Path(shutil.copy(shared_data / "listening-events.json", tmp_path))
    assert await imported(database, file, shift_to=NOW.isoformat(), days=30) == Counts(stored=8056)
    connection = await asyncpg.connect(database_url)
    try:
        stored: list[Any] = await connection.fetch(STORED)
    finally:
        await connection.close()
    until = NOW.replace(minute=0, second=0) + HOUR
    async with funnels(database, database_url) as found:
        for days, minutes in ((31, 1_440), (31, 43_200), (31, 30), (7, 1_440)):
            since = until - timedelta(days=days)
            asked = {"steps": SONGS, "window_minutes": minutes, "by": by, "order": order, "breakdown": "event_type"}
            ranged = in_range(asked, since, until)
            answer = await ask(found, ranged)
            check(answer, ranged, inside(stored, datetime.fromisoformat(answer["from"]).astimezone(UTC), until))
            if order == "loose" and (days, minutes) == (31, 43_200):
                assert answer["steps"][0]["reached"] > answer["steps"][2]["reached"] > 0
