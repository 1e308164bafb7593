"""The data set `scattered`: each session's events spread over 7 days, the worst case for exact session counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.web_data import HOURS, SEED, event_of
from service.ingest.event import Event

# 50,000 sessions for a million events: about 0.94 session-hours per event.
EVENTS_PER_SESSION = 20


def scattered_events(count: int, hours: int = HOURS) -> Iterator[Event]:
    """Yield `count` events in the order of their timestamps, spread over the `hours` before the current one."""
    chance = random.Random(SEED)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=hours)
    sessions = max(count // EVENTS_PER_SESSION, 1)
    apart = (end - start) / count
    for number in range(count):
        session = chance.randrange(sessions)
        # A session has a user in all of its events or in none.
        user = f"user_{session % 20_000}" if session % 10 < 3 else None
        yield event_of(start + number * apart + chance.random() * apart, f"{session:016x}", user, chance)
