"""Trends of local days across clock changes, compared with a count by local date; and limits of trends."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import pytest_asyncio

import service.reports.counts
from projections.projector import catch_up
from service.errors import ServiceError
from service.http.answers import status_of
from service.ingest.event import Event
from service.reports.raw_events import AT_A_TIME, MOST_WAITING
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database
from sql.hourly import METRICS
from tests.conftest import NEWEST, Servers
from tests.support import oracle
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR, keys
from tests.support.reads import reads
from tests.support.retired_days import append_all
from tests.support.sharded import Sharded, sharded_log

DAY = 24 * HOUR
SECOND = timedelta(seconds=1)
# The clocks change on each of these days, except in Kathmandu. In Tehran the day also has no midnight.
CHANGES = {
    "America/Caracas": date(2016, 5, 1),
    "Asia/Tehran": date(2022, 3, 22),
    "Europe/London": date(2024, 3, 31),
    "Australia/Adelaide": date(2024, 10, 6),
    "America/New_York": date(2025, 3, 9),
    "Pacific/Chatham": date(2025, 9, 28),
    "Australia/Lord_Howe": date(2026, 10, 4),
    "Europe/Berlin": date(2026, 10, 25),
    "America/St_Johns": date(2026, 11, 1),
    "Asia/Kathmandu": date(2026, 11, 8),
}
EVENTS = 250


def events_around(day: date, seed: int) -> list[Event]:
    """Return events from two days before a day to two days after it, many at the borders of quarters."""
    chance = random.Random(seed)
    start = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo) - 2 * DAY
    return [
        an_event(
            number + 1_000 * seed,
            at=start + chance.randrange(5 * 96) * timedelta(minutes=15) + chance.choice([0, 1, 450, 899]) * SECOND,
            session=f"s{chance.randrange(40)}",
            kind=chance.choice(["page_viewed", "opened", "risk_mode_changed"]),
            tool=chance.choice(["Home", None]),
            user=chance.choice([None, "of all", f"u{seed}-{int(30 * chance.random() ** 2)}"]),
        )
        for number in range(EVENTS)
    ]


STORED = {name: events_around(day, seed) for seed, (name, day) in enumerate(CHANGES.items())}


@asynccontextmanager
async def changing_log(servers: Servers, shards: int) -> AsyncIterator[Sharded]:
    """Give a log of days on which clocks changed, with an unfolded tail."""
    async with sharded_log(servers, NEWEST, shards) as sharded:
        for place, some in enumerate(STORED.values()):
            first = min(event.timestamp for event in some).date()
            for number in range(6):
                await sharded.database.only(sharded.database.statements.make_day, first + timedelta(days=number))
            clock = max(event.timestamp for event in some)
            await append_all(sharded, some[: EVENTS * 2 // 3], clock=clock)
            if place < len(STORED) - 1:
                await catch_up(sharded.database)
            await append_all(sharded, some[EVENTS * 2 // 3 :], clock=clock)
        yield sharded


@pytest_asyncio.fixture(scope="module", params=[1, 8], ids=["1 shard", "8 shards"])
async def changing(servers: Servers, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a changing log that tests share, because they only read it."""
    async with changing_log(servers, request.param) as sharded:
        yield sharded


@pytest_asyncio.fixture
async def retiring(servers: Servers) -> AsyncIterator[Sharded]:
    """Give a changing log of the test's own, because the test retires days."""
    async with changing_log(servers, 1) as sharded:
        yield sharded


def text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def of_date(name: str, day: date, since: datetime, until: datetime) -> list[Event]:
    """Return the events of a range that lie on a local day of a zone."""
    zone = ZoneInfo(name)
    inside = [event for event in STORED[name] if since <= event.timestamp < until]
    return [event for event in inside if event.timestamp.astimezone(zone).date() == day]


def measured(metric: str, events: list[Event]) -> float | None:
    sessions = len({event.session_id for event in events})
    users = {event.user_id for event in events if event.user_id}
    return {
        "events": len(events),
        "sessions": sessions,
        "tool_uses": sum(event.tool_name is not None for event in events),
        "event_types": len({event.event_type for event in events}),
        "events_per_session": len(events) / sessions if sessions else None,
        "users": len(users),
        "visitors": len(users) + sessions - len({event.session_id for event in events if event.user_id}),
    }[metric]


def new_users(events: list[Event]) -> int:
    """Count the users whose very first event is among these."""
    ever = sorted((event for some in STORED.values() for event in some), key=lambda event: event.timestamp)
    firsts = {event.user_id: event for event in reversed(ever)}
    return sum(firsts[user] in events for user in {event.user_id for event in events if event.user_id})


@pytest.mark.parametrize("metric", METRICS)
async def test_local_days_are_exact_across_changes_of_the_clocks(changing: Sharded, metric: str) -> None:
    async with reads(changing.database, changing.url) as found:
        for name, day in CHANGES.items():
            zone = ZoneInfo(name)
            since = datetime(day.year, day.month, day.day, 5, tzinfo=NOW.tzinfo) - 2 * DAY
            until = since + 100 * HOUR
            query = f"metric={metric}&interval=day&tz={name}&from={text_of(since)}&to={text_of(until)}"
            for filtered in ("", "&demo_mode=true"):
                if filtered and metric == "new_users":
                    continue  # the service does not offer this combination
                answer = await found.trends.page((query + filtered).encode())
                assert answer["source"] == ("events" if filtered else "rollups")
                starts = [datetime.fromisoformat(bucket["start"]) for bucket in answer["buckets"]]
                days = [start.astimezone(zone).date() for start in starts]
                assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
                assert [bucket["value"] for bucket in answer["buckets"]] == [
                    new_users(of_date(name, local, since, until))
                    if metric == "new_users"
                    else measured(metric, of_date(name, local, since, until))
                    for local in days
                ]


async def test_who_is_new_is_new_once(changing: Sharded) -> None:
    """One user has events around every change; the oldest are around the change in Caracas."""
    async with reads(changing.database, changing.url) as found:
        for name, day in CHANGES.items():
            since = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo) - 2 * DAY
            scope = f"from={text_of(since)}&to={text_of(since + 5 * DAY)}"
            ever = [event for events in STORED.values() for event in events]
            expected = [
                oracle.people(ever, since + number * DAY, since + (number + 1) * DAY)["new_users"]
                for number in range(5)
            ]
            answer = await found.trends.page(f"metric=new_users&interval=day&{scope}".encode())
            assert [bucket["value"] for bucket in answer["buckets"]] == expected
            users = len({event.user_id for event in STORED[name] if event.user_id})
            assert sum(expected) == users - (name != "America/Caracas")
            totals = (await found.summary.page(scope.encode()))["totals"]
            assert (totals["new_users"], totals["users"]) == (sum(expected), users)
            filtered = await found.summary.page(f"{scope}&demo_mode=true".encode())
            assert filtered["totals"] == totals | {"new_users": None}
        for more in ("by=action", "demo_mode=true"):
            error = await refused(found.trends.page(f"metric=new_users&{more}".encode()))
            assert (status_of(error).number, error.code, error.field) == (400, "invalid_parameter", "metric")


async def test_users_are_told_since_they_are_known(retiring: Sharded) -> None:
    day = CHANGES["Europe/Berlin"]
    known = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
    scope = f"from={text_of(known - DAY)}&to={text_of(known + DAY)}"
    await retiring.admin.execute("update shard_totals set people_since = $1", known)
    async with reads(retiring.database, retiring.url) as found:
        for metric in ("users", "new_users", "visitors"):
            answer = await found.trends.page(f"metric={metric}&interval=day&{scope}&compare=previous".encode())
            assert [bucket["value"] is None for bucket in answer["buckets"]] == [True, False]
            assert [bucket["value"] for bucket in answer["compare"]] == [None, None]
        sessions = await found.trends.page(f"metric=sessions&interval=day&{scope}".encode())
        assert None not in [bucket["value"] for bucket in sessions["buckets"]]
        totals = (await found.summary.page(scope.encode()))["totals"]
        assert [name for name, value in totals.items() if value is None] == ["users", "new_users", "visitors"]
        # Raw events still know these users.
        answer = await found.trends.page(f"metric=users&interval=day&{scope}&demo_mode=true".encode())
        assert None not in [bucket["value"] for bucket in answer["buckets"]]


async def test_hours_days_weeks_and_months_tell_of_the_same_events(changing: Sharded) -> None:
    async with reads(changing.database, changing.url) as found:
        for name, day in CHANGES.items():
            since = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo) - 2 * DAY
            scope = f"from={text_of(since)}&to={text_of(since + 5 * DAY)}"
            summary = await found.summary.page(scope.encode())
            rollups = await Rollups(changing.database, Shards(changing.database), lambda: NOW).page(scope.encode())
            inside = [event for event in STORED[name] if since <= event.timestamp < since + 5 * DAY]
            assert summary["totals"]["events"] == rollups["total_events"] == len(inside)
            assert summary["totals"]["sessions"] == rollups["distinct_sessions"]
            counted = Counter(pair for event in inside for pair in keys(event))
            for name_of, dimension in (("event_types", "event_type"), ("tool_usage", "tool_name")):
                expected = {key: events for (of, key), events in counted.items() if of == dimension}
                assert {row["key"]: row["events"] for row in summary[name_of]} == expected
            for interval in ("hour", "day", "week", "month"):
                for by in ("", "&by=event_type", "&by=event_type&demo_mode=true"):
                    answer = await found.trends.page(f"interval={interval}&tz={name}&{scope}{by}".encode())
                    assert sum(bucket["value"] for bucket in answer["buckets"]) == len(inside)
                    parts = {
                        group["key"]: sum(bucket["value"] for bucket in group["buckets"])
                        for group in answer["groups"] or ()
                    }
                    assert parts == ({row["key"]: row["events"] for row in summary["event_types"]} if by else {})


async def test_what_is_compared_is_what_was_there_a_week_before(changing: Sharded) -> None:
    """A week before St John's events of 1 November the log has other events: those around Berlin's change."""
    day = CHANGES["America/St_Johns"]
    since = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo) - 2 * DAY
    async with reads(changing.database, changing.url) as found:
        for compare, by in (("week", 7 * DAY), ("previous", 4 * DAY)):
            scope = f"from={text_of(since)}&to={text_of(since + 4 * DAY)}"
            before = f"from={text_of(since - by)}&to={text_of(since + 4 * DAY - by)}"
            answer = await found.trends.page(f"interval=day&{scope}&compare={compare}".encode())
            plain = await found.trends.page(f"interval=day&{before}".encode())
            assert answer["compare"] == plain["buckets"]
            assert len(answer["compare"]) == len(answer["buckets"])
            summary = await found.summary.page(f"{scope}&compare={compare}".encode())
            earlier = await found.summary.page(before.encode())
            assert summary["compare"] == {name: earlier[name] for name in ("from", "to", "totals")}
            assert summary["compare"]["totals"]["events"] > 0


async def refused(work: Any) -> ServiceError:
    with pytest.raises(ServiceError) as error:
        await work
    return error.value


async def test_nothing_is_said_of_a_time_that_is_not_wholly_kept(retiring: Sharded) -> None:
    day = CHANGES["Europe/Berlin"]
    kept = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
    since, until = kept - DAY, kept + DAY
    scope = f"from={text_of(since)}&to={text_of(until)}&interval=day&compare=previous"
    in_both = [event for event in STORED["Europe/Berlin"] if since <= event.timestamp < until]
    await retiring.admin.execute(
        "insert into retired_days select shard, $1, 0, now() from log_heads", day - timedelta(days=1)
    )
    async with reads(retiring.database, retiring.url) as found:
        trends, summary = found.trends, found.summary
        rollups = await trends.page(scope.encode())
        assert (rollups["source"], rollups["from"]) == ("rollups", text_of(since))
        assert sum(bucket["value"] for bucket in rollups["buckets"]) == len(in_both)
        answer = await trends.page(f"{scope}&demo_mode=true".encode())
        assert (answer["source"], answer["from"], answer["to"]) == ("events", text_of(kept), text_of(until))
        assert [bucket["value"] for bucket in answer["buckets"]] == [sum(e.timestamp >= kept for e in in_both)]
        assert [bucket["value"] for bucket in answer["compare"]] == [None]
        narrowed = await summary.page(f"from={text_of(since)}&to={text_of(until)}&compare=week&action=x".encode())
        assert (narrowed["from"], narrowed["compare"]) == (text_of(kept), None)
        gone = f"from={text_of(since)}&to={text_of(kept)}"
        error = await refused(trends.page(f"{gone}&demo_mode=true".encode()))
        assert (status_of(error).number, error.code, error.field) == (422, "expired", "to")
        assert text_of(kept) in error.message
        await retiring.admin.execute(
            "insert into shard_totals (shard, rollups_since) values (0, $1)"
            " on conflict (shard) do update set rollups_since = excluded.rollups_since",
            kept,
        )
        assert (await trends.page(scope.encode()))["from"] == text_of(kept)
        assert (await refused(summary.page(gone.encode()))).code == "expired"


@asynccontextmanager
async def log_locked(url: str) -> AsyncIterator[None]:
    """Block every reader of raw events."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("lock table events in access exclusive mode")
            yield
    finally:
        await connection.close()


async def test_raw_events_that_take_too_long_are_given_up_and_hold_up_nobody(
    database_url: str, database: Database
) -> None:
    await append(database, [an_event(number) for number in range(3)])
    await catch_up(database)
    async with reads(database, database_url, 1) as found:
        trends = found.trends
        async with log_locked(database_url):
            slow = [asyncio.create_task(refused(trends.page(b"hours=24&demo_mode=true"))) for _ in range(AT_A_TIME)]
            waiting = [asyncio.create_task(trends.page(b"hours=24&demo_mode=true")) for _ in range(MOST_WAITING)]
            await asyncio.sleep(0)
            error = await refused(trends.page(b"hours=24&demo_mode=true"))
            assert (status_of(error).number, error.code) == (503, "unavailable")
            assert status_of(error).headers["retry-after"]
            for other in (found.event_list.page(b"hours=24&where=tool_name exists"), found.cohorts.page(b"hours=24")):
                error = await refused(other)
                assert (status_of(error).number, error.code) == (503, "unavailable")
            assert (await trends.page(b"hours=24"))["source"] == "rollups"
            for error in await asyncio.gather(*slow):
                assert (status_of(error).number, error.code) == (422, "too_slow")
                assert "1 s" in error.message
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(answer, (dict, ServiceError)) for answer in answers)
        answer = await trends.page(b"hours=24&demo_mode=true&interval=day")
        assert sum(bucket["value"] for bucket in answer["buckets"]) == 3


async def test_a_day_that_is_dropped_meanwhile_is_left_out(retiring: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    day = CHANGES["Europe/Berlin"]
    kept = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
    starts: list[datetime] = []
    async with reads(retiring.database, retiring.url) as found:
        read = found.counts.read

        async def read_while_dropped(scope: service.reports.counts.Scope, *rest: Any) -> Any:
            starts.append(scope.since)
            if len(starts) == 1:
                await retiring.admin.execute(
                    "insert into retired_days select shard, $1, 0, now() from log_heads", day - timedelta(days=1)
                )
            return await read(scope, *rest)

        monkeypatch.setattr(found.counts, "read", read_while_dropped)
        answer = await found.summary.top(
            f"from={text_of(kept - DAY)}&to={text_of(kept + DAY)}&by=event_type&demo_mode=true".encode()
        )
    assert starts == [kept - DAY, kept]
    assert answer["from"] == text_of(kept)
    assert answer["total"] == sum(kept <= event.timestamp < kept + DAY for event in STORED["Europe/Berlin"])


async def test_sessions_and_tool_uses_are_divided_by_keys_of_raw_events(changing: Sharded) -> None:
    name = "Europe/Berlin"
    day = CHANGES[name]
    since = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo) - 2 * DAY
    scope = f"from={text_of(since)}&to={text_of(since + 5 * DAY)}&interval=day"
    inside = [event for event in STORED[name] if since <= event.timestamp < since + 5 * DAY]
    counts = Counter(event.event_type for event in inside)
    most = min(counts, key=lambda key: (-counts[key], key))
    async with reads(changing.database, changing.url) as found:
        for metric in ("sessions", "tool_uses", "events", "events_per_session", "users", "visitors"):
            answer = await found.trends.page(f"metric={metric}&by=event_type&top=1&{scope}".encode())
            assert [group["key"] for group in answer["groups"]] == [most, "(other)"]
            for group in answer["groups"]:
                expected = [
                    measured(
                        metric,
                        [
                            event
                            for event in inside
                            if since + number * DAY <= event.timestamp < since + (number + 1) * DAY
                            and (event.event_type == most) == (group["key"] == most)
                        ],
                    )
                    for number in range(5)
                ]
                assert [bucket["value"] for bucket in group["buckets"]] == expected
