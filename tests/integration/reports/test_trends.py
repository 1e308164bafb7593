"""Trends of local days across clock changes, compared with a count by local date."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from service.http.answers import status_of
from service.ingest.event import Event
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.hourly import METRICS
from tests.conftest import Servers
from tests.support import oracle
from tests.support.changing_clocks import CHANGES, DAY, STORED, changing_log, new_users, text_of
from tests.support.log import NOW
from tests.support.oracle import HOUR, keys
from tests.support.reads import reads, refused
from tests.support.sharded import Sharded


@pytest_asyncio.fixture(scope="module", params=[1, 8], ids=["1 shard", "8 shards"])
async def changing(servers: Servers, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a changing log that tests share, because they only read it."""
    async with changing_log(servers, request.param) as sharded:
        yield sharded


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
