"""A set of known events, and the right answers about them, counted in plain Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, now, text_of

SEED = 20_251_018
TOOLS = (None, "Home", "Søk 🎵", "(other)", '"><script>', "a\u2028b")
ACTIONS = (None, "open", "close")
USERS = (None, "u-1", "u-2", "ü" * 256)
# The number of events at the same microsecond, and of kinds in one hour.
ALIKE = 30
MANY = 1_103
ODD_MODES = ("", "x" * 129, "y" * 12_000, 1, 1.5, None, True, {"a": 1}, ["high"])
MODES = ("high", "low", "z" * 128, "(other)")


@dataclass(frozen=True)
class Known:
    """A service and all the events that were sent to it."""

    site: Site
    events: list[Json]

    @cached_property
    def by_moment(self) -> list[tuple[datetime, Json]]:
        """Return every event with its time."""
        return [(datetime.fromisoformat(event["timestamp"]), event) for event in self.events]

    def between(self, since: datetime, until: datetime | None = None) -> list[Json]:
        """Return the events of a half-open range."""
        return [event for at, event in self.by_moment if since <= at and (until is None or at < until)]

    def listed_in_last(self, hours: int | None, **query: object) -> tuple[Json, list[Json]]:
        """Return the list of the last hours, by default 24, and the events since then."""
        while True:
            before = now() - (hours or 24) * HOUR
            answer = self.site.get("/api/analytics/track", **query, **({"hours": hours} if hours else {}))
            if not self.between(before, now() - (hours or 24) * HOUR):
                return answer, self.between(before)

    def hours(self, since: datetime, until: datetime | None = None) -> list[datetime]:
        """Return the hours of a range that have events, newest first."""
        found = {hour_start(at) for at, _ in self.by_moment if since <= at and (until is None or at < until)}
        return sorted(found, reverse=True)

    def rollup(self, hour: datetime, events: list[Json] | None = None) -> Json:
        """Return the rollup of an hour with all its keys. events: those to count, by default all of the hour."""
        events = self.between(hour, hour + HOUR) if events is None else events
        return {
            "hour": text_of(hour),
            "event_counts": dict(Counter(event["event_type"] for event in events)),
            "tool_usage": dict(Counter(event["tool_name"] for event in events if event.get("tool_name"))),
            "risk_distribution": dict(Counter(mode for event in events for mode in risk_modes(event))),
            "unique_sessions": len({event["session_id"] for event in events}),
            "total_events": len(events),
        }

    def busiest(self) -> datetime:
        """Return the hour with the most kinds of events, more than an answer names."""
        return max(self.hours(datetime.min.replace(tzinfo=self.by_moment[0][0].tzinfo)), key=self._kinds)

    def _kinds(self, hour: datetime) -> int:
        return len({event["event_type"] for event in self.between(hour, hour + HOUR)})


def risk_modes(event: Json) -> Iterator[str]:
    """Give the risk mode that an event counts toward, if any."""
    properties = event.get("properties") or {}
    if event["event_type"] == "risk_mode_changed" and "risk_mode" in properties:
        mode = properties["risk_mode"]
        yield mode if isinstance(mode, str) and 1 <= len(mode) <= 128 else "(other)"


def known_events(moment: datetime) -> list[Json]:
    """Return events from 30 hours before to 20 hours after the current hour; most are 20 minutes off a whole hour."""
    chance = random.Random(SEED)
    base = hour_start(moment)
    events = [
        *(_any_event(chance, base) for _ in range(900)),
        *(
            _any_event(chance, base) | {"timestamp": text_of(base - 5 * HOUR + timedelta(minutes=30))}
            for _ in range(30)
        ),
        *_of_many_kinds(base - 3 * HOUR + timedelta(minutes=25)),
        *_changes_of_risk_mode(base - 7 * HOUR + timedelta(minutes=35)),
        *(an_event(at=base + 20 * HOUR, session_id="s-ahead", tool_name="Ahead") for _ in range(3)),
    ]
    chance.shuffle(events)
    return [event | {"event_id": f"known-{number}"} for number, event in enumerate(events)]


def _any_event(chance: random.Random, base: datetime) -> Json:
    at = base - chance.randrange(30) * HOUR + timedelta(minutes=chance.randrange(20, 40))
    return an_event(
        at=at + timedelta(microseconds=chance.choice([0, 1, 1_000, 999_999])),
        event_type=chance.choice(["page_viewed", "tool_opened", "run ✓"]),
        session_id=f"s-{chance.randrange(60)}",
        user_id=chance.choice(USERS),
        tool_name=chance.choice(TOOLS),
        action=chance.choice(ACTIONS),
        demo_mode=chance.choice([True, False]),
        properties=chance.choice([None, {}, {"n": 1.5, "deep": [{"a": None}]}, {"risk_mode": "high"}]),
    )


def _of_many_kinds(at: datetime) -> Iterator[Json]:
    for number in range(MANY):
        for _ in range(1 + (number % 7 == 0)):
            yield an_event(
                at=at, event_type=f"kind-{number:04}", tool_name=f"tool-{number % 1001}", session_id="s-many"
            )


def _changes_of_risk_mode(at: datetime) -> Iterator[Json]:
    for number, mode in enumerate((*ODD_MODES, *MODES, *MODES)):
        yield an_event(
            at=at, event_type="risk_mode_changed", session_id=f"s-risk-{number}", properties={"risk_mode": mode}
        )
    yield an_event(at=at, event_type="risk_mode_changed", properties={"mode": "high"})
    yield an_event(at=at, event_type="risk_mode_changed")
    yield an_event(at=at, event_type="other", properties={"risk_mode": "high"})
