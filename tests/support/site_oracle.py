"""What each read answers about one site, counted by brute force over the events that were sent to it alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from service.ingest.event import Event
from tests.support import oracle
from tests.support.funnel_oracle import run_from
from tests.support.oracle import HOUR, start_of

Json = dict[str, Any]
DAY = timedelta(days=1)
STEPS = [{"event_type": "page_viewed"}, {"event_type": "risk_mode_changed"}]


def named(event: Event) -> tuple[datetime, str, str]:
    """Return what tells an event from all others of its site."""
    return event.timestamp, event.event_id, event.session_id


def listed(events: Sequence[Event]) -> list[tuple[datetime, str, str]]:
    """Return the events in the order of lists, newest first."""
    return sorted(map(named, events), reverse=True)


def by_hour(events: Sequence[Event]) -> dict[datetime, Json]:
    """Return the rollup of each hour with events."""
    hours: dict[datetime, list[Event]] = defaultdict(list)
    for event in events:
        hours[start_of(event.timestamp, HOUR)].append(event)
    return {hour: _rollup(some) for hour, some in hours.items()}


def _rollup(events: Sequence[Event]) -> Json:
    counts = Counter(key for event in events for key in oracle.keys(event))
    of = {name: {key: n for (kind, key), n in counts.items() if kind == name} for name in oracle.DIMENSIONS}
    return {
        "event_counts": of["event_type"],
        "tool_usage": of["tool_name"],
        "risk_distribution": of["risk_mode"],
        "unique_sessions": len({event.session_id for event in events}),
        "total_events": len(events),
    }


def totals(events: Sequence[Event], since: datetime, until: datetime) -> Json:
    """Return some totals of a summary."""
    people = oracle.people(events, since, until)
    return {"events": len(events)} | {name: people[name] for name in ("sessions", "users", "new_users")}


def cohorts(events: Sequence[Event], since: datetime, until: datetime) -> list[tuple[int, list[int]]]:
    """Return the size of each day's cohort of users, and how many of it are there on each day from then on."""
    days = [since + n * DAY for n in range((until - since) // DAY)]
    active: dict[str, set[datetime]] = defaultdict(set)
    for event in events:
        if event.user_id is not None:
            active[event.user_id].add(start_of(event.timestamp, DAY))
    found = []
    for place, day in enumerate(days):
        users = [user for user, seen in active.items() if min(seen) == day]
        found.append((len(users), [sum(later in active[user] for user in users) for later in days[place:]]))
    return found


def funnel(events: Sequence[Event]) -> list[int]:
    """Return how many sessions reach each of STEPS. The events are in the order in which the log has them."""
    of_sessions: dict[str, list[Json]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.timestamp):  # a stable sort
        of_sessions[event.session_id].append(event._asdict())
    longest = [
        max(
            (
                len(run_from(some, start, {"steps": STEPS}))
                for start, event in enumerate(some)
                if event["event_type"] == STEPS[0]["event_type"]
            ),
            default=0,
        )
        for some in of_sessions.values()
    ]
    return [sum(length > step for length in longest) for step in range(len(STEPS))]


def property_events(events: Sequence[Event]) -> Counter[str]:
    """Return how many events have each property."""
    return Counter(name for event in events for name in json.loads(event.properties or "{}"))


def of_user(events: Sequence[Event], user: str) -> list[Event]:
    """Return the events of a user."""
    return [event for event in events if event.user_id == user]


def of_session(events: Sequence[Event], session: str) -> list[Event]:
    """Return the events of a session."""
    return [event for event in events if event.session_id == session]
