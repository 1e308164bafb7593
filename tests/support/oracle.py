"""The right content of log and projection, counted by brute force; it shares only Event with the product."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from service.ingest.event import Event

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
DIMENSIONS = ("event_type", "tool_name", "risk_mode")

# Rows of the projection; a member that was never active before has None as its previous bucket.
Counts = Counter[tuple[datetime, str, str]]
Members = set[tuple[datetime, str, str]]
Edges = Counter[tuple[str, datetime, datetime | None]]
# Rows of a trend: bucket from 1, measure, key.
Trend = Counter[tuple[int, str, str | None]]
# Rows of a fresh read: measure, hour, key.
Fresh = Counter[tuple[str, datetime | None, str | None]]


@dataclass
class Rows:
    """The stored rows of the projection in one shard. Edges with a count of 0 have no row."""

    counts: Counts
    members: Members
    edges: Edges


class Log:
    """The log of one shard: it stores new events and returns the outcome of all others."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._holders: dict[tuple[datetime, str], str] = {}

    def append(self, events: Iterable[Event]) -> dict[int, str]:
        """Store events; return the outcome of each that was not stored, by its index from 0."""
        outcomes = {}
        for place, event in enumerate(events):
            name = (event.timestamp, event.event_id)
            if name not in self._holders:
                self._holders[name] = event.session_id
                self.events.append(event)
            else:
                outcomes[place] = "duplicate" if self._holders[name] == event.session_id else "id_reused"
        return outcomes


def start_of(moment: datetime, length: timedelta) -> datetime:
    """Return the start of the hour, or quarter of an hour, that holds a moment."""
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    return midnight + (moment - midnight) // length * length


def keys(event: Event) -> Iterator[tuple[str, str]]:
    """Give every dimension and key that an event counts toward."""
    yield "event_type", event.event_type
    if event.tool_name is not None:
        yield "tool_name", event.tool_name
    properties = json.loads(event.properties or "{}")
    if event.event_type == "risk_mode_changed" and "risk_mode" in properties:
        mode = properties["risk_mode"]
        yield "risk_mode", mode if isinstance(mode, str) and 1 <= len(mode) <= 128 else "(other)"


def active(event: Event) -> Iterator[tuple[str, str]]:
    """Give every kind and member that an event shows to be active."""
    yield "session", event.session_id
    if event.user_id is not None:
        yield "user", event.user_id
        yield "identified", event.session_id


def rows(events: Iterable[Event]) -> Rows:
    """Return the rows that the projection has once every event is folded."""
    placed = [(start_of(event.timestamp, QUARTER), event) for event in events]
    members = {(bucket, *member) for bucket, event in placed for member in active(event)}
    return Rows(Counter((bucket, *key) for bucket, event in placed for key in keys(event)), members, edges(members))


def retained(events: Sequence[Event], since: datetime, users: Collection[str | None]) -> Rows:
    """Return the rows that remain when all before `since` are deleted, except the first row of each of these users."""
    before = sorted(member for member in rows(events).members if member[0] < since and member[1] == "user")
    first = {user: (bucket, kind, user) for bucket, kind, user in reversed(before) if user in users}
    left = rows(event for event in events if event.timestamp >= since)
    members = left.members | set(first.values())
    return Rows(left.counts, members, edges(members))


def edges(members: Members) -> Edges:
    """Return the edges that follow from member rows."""
    chains: dict[tuple[str, str], list[datetime | None]] = defaultdict(lambda: [None])
    for bucket, *member in sorted(members):
        chains[member[0], member[1]].append(bucket)
    return Counter(
        (kind, bucket, previous)
        for (kind, _), chain in chains.items()
        for previous, bucket in pairwise(chain)
        if bucket
    )


def distinct(events: Iterable[Event], since: datetime, until: datetime) -> int:
    """Count the sessions of a range, each once."""
    return len({event.session_id for event in events if since <= event.timestamp < until})


def people(events: Sequence[Event], since: datetime, until: datetime) -> dict[str, int]:
    """Count in a range the distinct sessions, users, users not seen before it, and sessions with a user."""
    inside = [event for event in events if since <= event.timestamp < until]
    users = {event.user_id for event in inside if event.user_id is not None}
    return {
        "sessions": len({event.session_id for event in inside}),
        "users": len(users),
        "new_users": len(users - {event.user_id for event in events if event.timestamp < since}),
        "identified": len({event.session_id for event in inside if event.user_id is not None}),
    }


def fresh(events: Iterable[Event], since: datetime, until: datetime) -> Fresh:
    """Return the answer to a read of hours, without the rows about its freshness."""
    inside = [event for event in events if since <= event.timestamp < until]
    found: Fresh = Counter((kind, start_of(e.timestamp, HOUR), key) for e in inside for kind, key in keys(e))
    for hour, _ in {(start_of(event.timestamp, HOUR), event.session_id) for event in inside}:
        found["sessions", hour, None] += 1
    if inside:
        found["distinct_sessions", None, None] = distinct(inside, since, until)
    return found


def all_keys(event: Event) -> Iterator[tuple[str, str]]:
    """Give every dimension and key of an event that a trend may name."""
    yield from keys(event)
    if event.action is not None:
        yield "action", event.action
    yield "demo_mode", str(event.demo_mode).lower()


def trend(
    events: Sequence[Event],
    bounds: Sequence[datetime],
    named: Collection[str],
    told: Collection[str] | None,
    divided_by: str | None = None,
) -> Trend:
    """Return the counts of a trend.

    Distinct counts, and dimensions that only raw events have, are counted only when `named`. Keys outside `told` count
    as "(other)"; if `told` is None, every key counts by itself.
    """

    def name(key: str) -> str:
        return key if told is None or key in told else "(other)"

    found: Trend = Counter()
    for bucket, (since, until) in enumerate(pairwise(bounds), 1):
        inside = [event for event in events if since <= event.timestamp < until]
        for dimension, key in (pair for event in inside for pair in all_keys(event)):
            if dimension in named or dimension in DIMENSIONS:
                found[bucket, dimension, name(key) if dimension in named else None] += 1
        found.update(_distinct(bucket, None, people(events, since, until), named))
        parts: dict[str, list[Event]] = defaultdict(list)
        for event in inside:
            for key in (name(key) for of, key in all_keys(event) if of == divided_by):
                parts[key].append(event)
        for part, of_part in parts.items():
            found[bucket, "tool_uses", part] += sum(event.tool_name is not None for event in of_part)
            found.update(_distinct(bucket, part, people(of_part, since, until), named))
    return +found


def of_raw_events(found: Trend, named: Collection[str]) -> Trend:
    """Return the counts of a trend that raw events give: of all events, and of what is `named`."""
    tools = ("tool_name", "tool_uses")
    counted = {"event_type", *named, *(tools if {*tools} & {*named} else ())}
    return Counter({place: amount for place, amount in found.items() if place[1] in counted})


def _distinct(bucket: int, part: str | None, counted: Mapping[str, int], named: Collection[str]) -> Trend:
    return Counter({(bucket, measure, part): number for measure, number in counted.items() if measure in named})
