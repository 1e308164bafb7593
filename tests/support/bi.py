"""Readers of the schema bi, and what its views must say of a log."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from service.ingest.event import Event
from sql.migrate import VIEWS, migrate
from sql.statements import load
from tests.support import oracle
from tests.support.log import NOW, an_event
from tests.support.oracle import HOUR
from tests.support.retired_days import DAY, day, old_events

NAMES = sorted(path.stem for path in VIEWS.glob("*.sql"))
# Functions that run with their owner's rights.
DEFINERS = """
select p.proname::text from pg_proc as p
where p.pronamespace = 'public'::regnamespace and p.prosecdef
order by 1
"""


def with_users(events: Iterable[Event]) -> list[Event]:
    """Return events with a user in three of four; each user has several sessions, so they span shards."""
    return [
        event._replace(user_id=None if number % 4 == 0 else f"u{(int(event.session_id[1:]) + number // 7) % 4}")
        for number, event in enumerate(events)
    ]


OLD = with_users(old_events())
# Late events for a day without events, and for days with events: before, between and after the folded ones.
LATE = [
    an_event(1_000 + number, at=moment, session=f"s{number % 9}", tool=[None, "Map"][number % 2])._replace(
        user_id=[None, "u1", "late"][number % 3]
    )
    for number, moment in enumerate(
        day(which) + place
        for which in (2, 4, 3, 9)
        for place in (timedelta(0), 7 * HOUR + timedelta(minutes=10), 8 * HOUR, DAY - timedelta(microseconds=1))
    )
]
EVER = OLD + LATE


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect as a member of the role that reads the views."""
    login = f"reader {uuid4().hex}"
    owner = await asyncpg.connect(url)
    try:
        assert await owner.fetchval(load().make_bi_role, login, "secret")
        await migrate(url)
        reader = await asyncpg.connect(url, server_settings={"role": login})
        await reader.execute("set timezone = 'America/St_Johns'")
        try:
            yield reader
        finally:
            await reader.close()
    finally:
        await owner.execute(f'drop role "{login}"')
        await owner.close()


def hours_of(events: Iterable[Event]) -> dict[datetime, dict[str, Any]]:
    """Return the rollups of events in the form of the service's answers."""
    by_hour: dict[datetime, list[Event]] = defaultdict(list)
    for event in events:
        by_hour[oracle.start_of(event.timestamp, HOUR)].append(event)
    kinds = {"event_type": "event_counts", "tool_name": "tool_usage", "risk_mode": "risk_distribution"}
    return {
        hour: {
            **{
                name: dict(Counter(key for event in some for kind, key in oracle.keys(event) if kind == dimension))
                for dimension, name in kinds.items()
            },
            "unique_sessions": len({event.session_id for event in some}),
            "total_events": len(some),
        }
        for hour, some in by_hour.items()
    }


def days_of(events: Iterable[Event]) -> dict[date, dict[str, Any]]:
    """Return the totals of each day of events."""
    by_day: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        by_day[event.timestamp.astimezone(UTC).date()].append(event)
    return {
        each: {
            "events": len(some),
            "sessions": len({event.session_id for event in some}),
            "tool_uses": sum(event.tool_name is not None for event in some),
            "users": len({event.user_id for event in some} - {None}),
            "visitors": len({event.user_id for event in some} - {None})
            + len({event.session_id for event in some} - {event.session_id for event in some if event.user_id}),
            "complete": datetime(each.year, each.month, each.day, tzinfo=UTC) + DAY <= NOW,
        }
        for each, some in by_day.items()
    }
