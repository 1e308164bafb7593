"""The views of the schema bi agree with the service and with a count in Python."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from projections.projector import catch_up
from service.ingest.event import Event
from service.reports.proofs import Proofs
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from tests.support import oracle
from tests.support.bi import EVER, LATE, OLD, days_of, hours_of, reading
from tests.support.log import NOW, an_event
from tests.support.oracle import HOUR
from tests.support.projection import proofs
from tests.support.reads import reads
from tests.support.retired_days import append_all, day, past, retire
from tests.support.sharded import Sharded

METRICS = ("events", "sessions", "tool_uses", "users", "visitors")


async def rows(reader: asyncpg.Connection[asyncpg.Record], query: str, *arguments: object) -> dict[Any, dict[str, Any]]:
    """Return the rows of a view by their first column, with JSON decoded. All are of the default site."""
    found = {}
    for row in await reader.fetch(query, *arguments):
        named = {
            name: json.loads(value) if name in {"event_counts", "tool_usage", "risk_distribution"} else value
            for name, value in row.items()
        }
        key = named.pop(next(iter(named)))
        assert named.pop("site", "default") == "default"
        assert key not in found
        found[key] = named
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def grouped(events: Iterable[Event], by: str) -> dict[str, list[Event]]:
    """Return the events of each session or user."""
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if (name := getattr(event, by)) is not None:
            groups[name].append(event)
    return groups


def session_of(events: list[Event]) -> dict[str, Any]:
    moments = [event.timestamp for event in events]
    return {
        "user_ids": sorted({event.user_id for event in events if event.user_id is not None}),
        "first_seen": min(moments),
        "last_seen": max(moments),
        "duration": max(moments) - min(moments),
        "events": len(events),
        "tool_uses": sum(event.tool_name is not None for event in events),
        "event_types": len({event.event_type for event in events}),
    }


def users_of(kept: list[Event], raw: list[Event]) -> dict[str, dict[str, Any]]:
    """Return the rows of bi.users for users with kept rollups; their first visit may be older."""
    ever, in_log = grouped([*EVER, *kept], "user_id"), grouped(raw, "user_id")
    return {
        user: {
            "first_seen": oracle.start_of(min(event.timestamp for event in ever[user]), oracle.QUARTER),
            "last_seen": oracle.start_of(max(event.timestamp for event in some), oracle.QUARTER),
            "days_active": len({event.timestamp.date() for event in some}),
            "sessions": len({event.session_id for event in in_log[user]}),
            "events": len(in_log[user]),
        }
        for user, some in grouped(kept, "user_id").items()
    }


async def check(sharded: Sharded, kept: list[Event], raw: list[Event]) -> None:
    """Assert that each view agrees with the service and with a count of these events."""
    async with reading(sharded.url) as reader, reads(sharded.database, sharded.url) as found:
        hourly = await rows(reader, "select * from bi.hourly_rollups")
        assert {hour: without(row, "updated_at") for hour, row in hourly.items()} == hours_of(kept)
        span = f"from={day(-1):%Y-%m-%d}T00:00:00Z&to={day(11):%Y-%m-%d}T00:00:00Z"
        page = await Rollups(sharded.database, Shards(sharded.database), lambda: NOW).page(span.encode())
        told = json.loads(msgspec.json.encode(page))["rollups"]
        assert {f"{hour:%Y-%m-%dT%H:%M:%S}.000Z": without(row, "updated_at") for hour, row in hourly.items()} == {
            row["hour"]: without(row, "hour") for row in told
        }

        daily = await rows(reader, "select * from bi.daily")
        assert daily == days_of(kept)
        for metric in METRICS:
            page = await found.trends.page(f"metric={metric}&interval=day&{span}".encode())
            told = {bucket["start"][:10]: bucket["value"] for bucket in page["buckets"] if bucket["value"]}
            assert told == {str(each): row[metric] for each, row in daily.items() if row[metric]}

        told = (await Proofs(sharded.database, Shards(sharded.database), lambda: NOW).page(span.encode()))["proofs"]
        assert [
            (proof["hour"], proof["state"], proof["events"], proof["verified_at"] is None, proof["sealed_at"] is None)
            for proof in told
        ] == [
            (
                f"{hour:%Y-%m-%dT%H:%M:%S}.000Z",
                row["state"],
                row["events"],
                *(row[at] is None for at in ("verified_at", "sealed_at")),
            )
            for hour, row in (await rows(reader, "select * from bi.proofs order by hour desc")).items()
        ]

        events = await rows(reader, "select event_id, session_id, user_id, tool_name, timestamp from bi.events")
        assert events == {
            each.event_id: {name: getattr(each, name) for name in ("session_id", "user_id", "tool_name", "timestamp")}
            for each in raw
        }
        sessions = {name: session_of(some) for name, some in grouped(raw, "session_id").items()}
        assert await rows(reader, "table bi.sessions") == sessions
        users = users_of(kept, raw)
        assert await rows(reader, "table bi.users") == users
        assert await rows(reader, "select * from bi.users where user_id = 'u1'") == {"u1": users["u1"]}
        plan = await reader.fetch("explain select user_id, days_active from bi.users")
        assert not any("events" in line for (line,) in plan)
        for user, row in users.items():
            told = await found.timelines.user(user, b"")
            seen = datetime.fromisoformat(told["first_seen"])
            assert (oracle.start_of(seen, oracle.QUARTER), told["days_active"]) == (
                row["first_seen"],
                row["days_active"],
            )
            first = min(event.timestamp for event in [*EVER, *kept] if event.user_id == user)
            assert seen == (first if any(event.timestamp == first for event in raw) else row["first_seen"])


async def test_the_views_say_what_the_service_says(aged: Sharded) -> None:
    events = OLD + LATE
    raw = [event for event in events if event.timestamp >= day(2)]
    await check(aged, events, raw)
    await catch_up(aged.database)
    await check(aged, events, raw)
    # Verify all hours, then touch one of them again.
    assert {proof.state for proof in await proofs(aged.database)} == {"verified", "sealed"}
    again = an_event(2_000, at=day(4) + 7 * HOUR, session="s1")._replace(user_id="again")
    await append_all(aged, [again], clock=past(1))
    events, raw = [*events, again], [*raw, again]
    await check(aged, events, raw)
    # Retention deletes the rollups of the first days.
    await aged.admin.execute("update leaving_days set until = '-infinity'")
    await retire(aged.database, 2, grace_days=0, rollup_days=8)
    kept = [event for event in events if event.timestamp >= day(2)]
    await check(aged, kept, [event for event in events if event.timestamp >= day(3)])


async def test_when_an_hour_was_verified_is_told(aged: Sharded) -> None:
    async with reading(aged.url) as reader:
        hourly = await rows(reader, "select hour, updated_at from bi.hourly_rollups")
        told = await rows(reader, "select hour, verified_at as updated_at from bi.proofs")
    assert {hour: row for hour, row in told.items() if hour >= day(2)} == {
        hour: row for hour, row in hourly.items() if hour >= day(2)
    }
    assert {row["updated_at"] is None for row in hourly.values()} == {True, False}
