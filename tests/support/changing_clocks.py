"""A log of days on which clocks changed."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

from projections.projector import catch_up
from service.ingest.event import Event
from tests.conftest import NEWEST, Servers
from tests.support.log import NOW, an_event
from tests.support.oracle import HOUR
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


def text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def new_users(events: list[Event]) -> int:
    """Count the users whose very first event is among these."""
    ever = sorted((event for some in STORED.values() for event in some), key=lambda event: event.timestamp)
    firsts = {event.user_id: event for event in reversed(ever)}
    return sum(firsts[user] in events for user in {event.user_id for event in events if event.user_id})
