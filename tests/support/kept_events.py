"""Days whose rows have left the log while the archive keeps their events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from tests.http.support.site import text_of
from tests.support.archive import archived
from tests.support.archived_days import leave_rows
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.retired_days import DAY, MICROSECOND, day, old_events
from tests.support.sharded import Sharded

STORED = "select *, properties::text as text from events order by timestamp, event_id, shard"
ODD_IDS = (".", "..", "é😀", "a b", "%2F", "Z", "z")
PROPERTIES = (
    None,
    "{}",
    '{"n": 1e300, "m": 0.1000000000000000055511151231257827, "plan": "pro"}',
    '{"n": 9007199254740993, "plan": "é😀\\u001f", "in": {"a": [1.50, "x", null]}}',
    '{"n": 5, "plan": ["pro", "free"]}',
    '{"n": "5", "": {"__proto__": 1}}',
)
# As stored, a number has 301 digits, so a page has no room for twenty of these events.
LARGE = '{"many": [' + ", ".join(["1e300"] * 2_000) + "]}"

Stored = Mapping[str, Any]
Passes = Callable[[Stored], bool]


def hard_events(shards: int) -> list[Event]:
    """Return events of the days of retired_days: odd ids and texts, many at one time."""
    events = old_events(sessions=8)
    moments = [day(number) + 5 * HOUR for number in (0, 1, 3, 9)]
    moments += [moment + MICROSECOND for moment in moments]
    for place, moment in enumerate(moments):
        for number, name in enumerate(ODD_IDS):
            event = an_event(
                at=moment,
                session=("..", "é", f"s{number}")[(place + number) % 3],
                kind="odd",
                tool=("Søk 🎵", None)[number % 2],
                properties=PROPERTIES[(place + number) % len(PROPERTIES)],
                user=(".", "u1", None)[number % 3],
            )
            events.append(event._replace(event_id=f"{name}{place}" if number > 1 else name))
    if shards > 1:
        # Only their shards tell them apart.
        of_shards = {shard_of(f"s{number}", shards): f"s{number}" for number in range(8)}
        events += [an_event(6_000, at=day(0) + 5 * HOUR, session=name, user="u1") for name in of_shards.values()]
    return events


async def archive_all(sharded: Sharded, folder: Path, number: int = 10) -> None:
    """Archive all events before a day."""
    await archived(sharded.database, folder, day(number) + 2 * HOUR)


async def keep(sharded: Sharded, number: int, archive: Path) -> None:
    """Take the days up to one out of the rows; the archive, which has all of their events, keeps them."""
    assert [each for each in await leave_rows(sharded.database, number, archive) if each.hindrance] == []


def large_events() -> list[Event]:
    """Return events of one moment that are too large for one page together."""
    return [an_event(5_000 + number, at=day(1) + 9 * HOUR, session="s0", properties=LARGE) for number in range(20)]


def late_events(numbers: Sequence[int]) -> list[Event]:
    """Return events that come to days when these were archived."""
    return [
        an_event(7_000 + number, at=day(number) + DAY - 2 * HOUR, session="late", user="u2", tool="Home")
        for number in numbers
    ]


def number_over(event: Stored, least: float) -> bool:
    numbers = msgspec.json.decode(event["text"] or "{}").get("n")
    return isinstance(numbers, int | float) and numbers > least


def told(event: Stored) -> dict[str, Any]:
    """Return an event as answers tell it."""
    names = ("event_id", "event_type", "session_id", "user_id", "tool_name", "action")
    return {
        **{name: event[name] for name in names},
        "properties": None if event["text"] is None else msgspec.Raw(event["text"].encode()),
        "demo_mode": event["demo_mode"],
        "timestamp": text_of(event["timestamp"]),
        "received_at": text_of(event["received_at"]),
    }


def bytes_of(events: Iterable[Any]) -> list[bytes]:
    return [msgspec.json.encode(event) for event in events]


def query_of(query: str) -> str:
    """Return a query without its range, which a cursor has."""
    return "".join(f"{part}&" for part in query.split("&") if part.split("=")[0] not in {"from", "to", "hours"})


def events_of(answers: Iterable[dict[str, Any]]) -> list[Any]:
    return [event for answer in answers for event in answer["events"]]


def ranged(since: datetime, until: datetime) -> str:
    return f"from={since:%Y-%m-%dT%H:%MZ}&to={until:%Y-%m-%dT%H:%MZ}"
