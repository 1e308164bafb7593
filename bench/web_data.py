"""The data set `web`: sessions of about 14 events within an hour, over 7 days. Only its dates differ between runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from service.ingest.event import Event

HOURS = 168
SEED = 2018
HOUR = timedelta(hours=1)
MICROSECONDS = 3_600_000_000
# From 1 to 27 events: 14 on average.
LONGEST_SESSION = 27
TYPES = ("page_viewed",) * 6 + ("tool_used",) * 3 + ("risk_mode_changed",)
TOOLS = ("Home", "Search", "Reader", "Editor", "Settings", None)
RISK_MODES = ("low", "medium", "high")


def web_events(count: int, hours: int = HOURS) -> Iterator[Event]:
    """Yield `count` events in the order of their timestamps, spread over the `hours` before the current one.

    A session lasts up to an hour and begins at any time, so it is in one or two hours. On average an event accounts for
    0.11 session-hours.
    """
    chance = random.Random(SEED)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    waiting: list[Event] = []
    # Sessions begin in every hour but the last, which has the ends of sessions from the hour before.
    for number in range(hours - 1):
        start = end - (hours - number) * HOUR
        events = count * (number + 1) // (hours - 1) - count * number // (hours - 1)
        waiting += _begun_in(start, events, chance)
        waiting.sort(key=attrgetter("timestamp"))
        over = sum(event.timestamp < start + HOUR for event in waiting)
        yield from waiting[:over]
        del waiting[:over]
    yield from waiting


def _begun_in(hour: datetime, count: int, chance: random.Random) -> Iterator[Event]:
    while count > 0:
        length = min(chance.randint(1, LONGEST_SESSION), count)
        count -= length
        start = hour + timedelta(microseconds=chance.randrange(MICROSECONDS))
        lasting = chance.randrange(1, MICROSECONDS)
        session = f"{chance.getrandbits(64):016x}"
        user = f"user_{chance.randrange(20_000)}" if chance.random() < 0.3 else None
        for _ in range(length):
            yield event_of(start + timedelta(microseconds=chance.randrange(lasting)), session, user, chance)


def event_of(moment: datetime, session: str, user: str | None, chance: random.Random) -> Event:
    """Return an event of a session; its type, tool and properties are random."""
    kind = chance.choice(TYPES)
    properties = (
        f'{{"risk_mode": "{chance.choice(RISK_MODES)}"}}'
        if kind == "risk_mode_changed"
        else f'{{"path": "/articles/{chance.randrange(500)}", "milliseconds": {chance.randrange(10_000)}}}'
    )
    event_id = f"evt_{chance.getrandbits(128):032x}"
    return Event(event_id, session, user, kind, chance.choice(TOOLS), "opened", properties, False, moment)
