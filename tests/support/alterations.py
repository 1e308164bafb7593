"""A small log, and changes that someone could make to it or its projection behind hourledger's back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from service.ingest.event import Event
from sql.database import Database
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold

NEXT = START + HOUR
LAST = START + 3 * HOUR
EMPTY = START + 10 * HOUR
MINUTE = timedelta(minutes=1)

# Both sessions begin anonymous; later both name u1.
EVENTS = [
    an_event(0, at=START, session="s1"),
    an_event(1, at=START + 5 * MINUTE, session="s1", properties='{"a": 1}'),
    an_event(2, at=START + QUARTER, session="s2", kind="risk_mode_changed", tool=None, properties='{"risk_mode": "x"}'),
    an_event(3, at=NEXT + 10 * MINUTE, session="s1", tool="Search", user="u1"),
    an_event(4, at=LAST, session="s2", user="u1"),
    an_event(5, at=LAST + HOUR - MINUTE, session="s2"),
]


async def fill(database: Database) -> list[Event]:
    """Append the small log, fold it, and compact the receipts of all but its last append; return its events."""
    await append(database, EVENTS[:3])
    await append(database, EVENTS[3:5])
    await fold(database)
    await database.only(database.statements.compact_receipts, 0)
    await append(database, EVENTS[5:])
    await fold(database)
    return EVENTS


# field, bucket, key, stored, recounted
Wrong = tuple[str, datetime, str | None, int, int]


@dataclass(frozen=True)
class Drift:
    """A change of the projection's rows, and the differences that verify must report; {start} stands for START."""

    script: str
    wrong: list[Wrong]


def edge(bucket: datetime, previous: datetime | None, stored: int, recounted: int, kind: str = "session") -> Wrong:
    key = "-infinity" if previous is None else f"{previous:%Y-%m-%d %H:%M:%S}+00"
    return f"{kind}_edges", bucket, key, stored, recounted


DRIFTS = {
    "a count was changed": Drift(
        "update hourly_counts set events_00 = events_00 + 5 where hour = {start} and key = 'page_viewed'",
        [("event_counts", START, "page_viewed", 7, 2)],
    ),
    "a count was deleted": Drift(
        "delete from hourly_counts where hour = {start} and dimension = 'tool_name'",
        [("tool_usage", START, "Home", 0, 2)],
    ),
    "a count was added": Drift(
        "insert into hourly_counts values (0, 1, {start}, 'risk_mode', 'y', 0, 0, 3, 0)",
        [("risk_distribution", START + 2 * QUARTER, "y", 3, 0)],
    ),
    "a count of nothing was added": Drift(
        "insert into hourly_counts values (0, 1, {start} + interval '10 hours', 'event_type', 'y', 0)",
        [("event_counts", EMPTY, "y", 0, 0)],
    ),
    "a count was moved to another quarter": Drift(
        "update hourly_counts set events_15 = 0, events_30 = events_15 where key = 'x'",
        [("risk_distribution", START + QUARTER, "x", 0, 1), ("risk_distribution", START + 2 * QUARTER, "x", 1, 0)],
    ),
    "a count was moved to another hour": Drift(
        "update hourly_counts set hour = {start} + interval '10 hours' where key = 'x'",
        [("risk_distribution", START + QUARTER, "x", 0, 1), ("risk_distribution", EMPTY + QUARTER, "x", 1, 0)],
    ),
    "a count was added in every quarter": Drift(
        "insert into hourly_counts values (0, 1, {start}, 'event_type', 'y', 1, 2, 3, -4)",
        [("event_counts", START + number * QUARTER, "y", events, 0) for number, events in enumerate([1, 2, 3, -4])],
    ),
    "a key was changed": Drift(
        "update hourly_counts set key = 'search' where key = 'Search'",
        [("tool_usage", NEXT, "Search", 0, 1), ("tool_usage", NEXT, "search", 1, 0)],
    ),
    "a session was deleted": Drift(
        "delete from hourly_members where bucket = {start} and member = 's1'",
        [
            ("sessions_missing", START, None, 0, 1),
            edge(START, None, 1, 0),
            edge(NEXT, START, 1, 0),
            edge(NEXT, None, 0, 1),
        ],
    ),
    "a session was added": Drift(
        "insert into hourly_members values (0, 1, {start} + interval '15 minutes', 's9', 'session')",
        [("sessions_extra", START + QUARTER, None, 1, 0), edge(START + QUARTER, None, 1, 2)],
    ),
    "a session was added between quarters": Drift(
        "insert into hourly_members values (0, 1, {start} + interval '7 minutes', 's9', 'session')",
        [("sessions_extra", START + 7 * MINUTE, None, 1, 0)],
    ),
    "a session was added where nothing is": Drift(
        "insert into hourly_members values (0, 1, {start} + interval '10 hours', 's9', 'session')",
        [("sessions_extra", EMPTY, None, 1, 0), edge(EMPTY, None, 0, 1)],
    ),
    "a session was exchanged": Drift(
        "update hourly_members set member = 's9' where bucket = {start} and member = 's1'",
        [
            ("sessions_missing", START, None, 0, 1),
            ("sessions_extra", START, None, 1, 0),
            edge(NEXT, START, 1, 0),
            edge(NEXT, None, 0, 1),
        ],
    ),
    "a user was deleted": Drift(
        "delete from hourly_members where kind = 'user' and bucket = {start} + interval '1 hour'",
        [
            ("users_missing", NEXT, None, 0, 1),
            edge(NEXT, None, 1, 0, "user"),
            edge(LAST, NEXT, 1, 0, "user"),
            edge(LAST, None, 0, 1, "user"),
        ],
    ),
    "a user was added": Drift(
        "insert into hourly_members values (0, 1, {start}, 'u9', 'user')",
        [("users_extra", START, None, 1, 0), edge(START, None, 0, 1, "user")],
    ),
    "another session was identified": Drift(
        "update hourly_members set member = 's2' where kind = 'identified' and bucket = {start} + interval '1 hour'",
        [
            ("identified_missing", NEXT, None, 0, 1),
            ("identified_extra", NEXT, None, 1, 0),
            edge(LAST, NEXT, 0, 1, "identified"),
            edge(LAST, None, 1, 0, "identified"),
        ],
    ),
    "a user was said to be a session": Drift(
        "update hourly_members set kind = 'session' where kind = 'user' and bucket = {start} + interval '1 hour'",
        [
            ("sessions_extra", NEXT, None, 1, 0),
            ("users_missing", NEXT, None, 0, 1),
            edge(NEXT, None, 0, 1),
            edge(NEXT, None, 1, 0, "user"),
            edge(LAST, NEXT, 1, 0, "user"),
            edge(LAST, None, 0, 1, "user"),
        ],
    ),
    "an edge of users was changed": Drift(
        "update hourly_edges set members = 2 where kind = 'user' and bucket = {start} + interval '3 hours'",
        [edge(LAST, NEXT, 2, 1, "user")],
    ),
    "an edge of users was made to start elsewhere": Drift(
        "update hourly_edges set previous = '-infinity' where kind = 'user' and bucket = {start} + interval '3 hours'",
        [edge(LAST, NEXT, 0, 1, "user"), edge(LAST, None, 1, 0, "user")],
    ),
    "an edge was changed": Drift(
        "update hourly_edges set members = 2 where kind = 'session' and bucket = {start} + interval '1 hour'",
        [edge(NEXT, START, 2, 1)],
    ),
    "an edge was deleted": Drift(
        "delete from hourly_edges where bucket = {start} + interval '15 minutes'",
        [edge(START + QUARTER, None, 0, 1)],
    ),
    "an edge was added": Drift(
        "insert into hourly_edges values (0, 1, {start} + interval '45 minutes', {start}, 1, 'session')",
        [edge(START + 3 * QUARTER, START, 1, 0)],
    ),
    "an edge was added between quarters": Drift(
        "insert into hourly_edges values (0, 1, {start} + interval '7 minutes', '-infinity', 1, 'session')",
        [edge(START + 7 * MINUTE, None, 1, 0)],
    ),
    "an edge was added where nothing is": Drift(
        "insert into hourly_edges values (0, 1, {start} + interval '10 hours', '-infinity', 1, 'session')",
        [edge(EMPTY, None, 1, 0)],
    ),
    "an edge was made to start elsewhere": Drift(
        "update hourly_edges set previous = '-infinity'"
        " where kind = 'session' and bucket = {start} + interval '1 hour'",
        [edge(NEXT, START, 0, 1), edge(NEXT, None, 1, 0)],
    ),
}

ALL = frozenset({"events", "position_sum", "digest_high", "digest_low"})
DIGEST = frozenset({"digest_high", "digest_low"})
INSERT = """
insert into events (position, timestamp, received_at, shard, demo_mode, event_id, session_id, event_type)
values (99, {start} + interval '%s', now(), 0, true, 'by hand', 's1', 'page_viewed')
"""


@dataclass(frozen=True)
class Damage:
    """A change of the log or its witnesses, and the fields that verify must name in each damaged hour."""

    script: str
    fields: dict[datetime, frozenset[str]] = field(default_factory=lambda: {START: ALL})


DAMAGES = {
    "an event was deleted": Damage("delete from events where event_id = 'evt_0'"),
    "an event was added": Damage(INSERT % "7 minutes"),
    "an event was added where nothing was": Damage(INSERT % "10 hours", {EMPTY: ALL}),
    "properties were changed": Damage(
        """update events set properties = '{{"a": 2}}' where event_id = 'evt_1'""", {START: DIGEST}
    ),
    "properties were added": Damage("update events set properties = '{{}}' where event_id = 'evt_0'", {START: DIGEST}),
    "properties became null": Damage("update events set properties = null where event_id = 'evt_1'", {START: DIGEST}),
    "an action became empty": Damage("update events set action = '' where event_id = 'evt_1'", {START: DIGEST}),
    "a mode was changed": Damage("update events set demo_mode = false where event_id = 'evt_1'", {START: DIGEST}),
    "a user was named": Damage("update events set user_id = 's1' where event_id = 'evt_1'", {START: DIGEST}),
    "names were exchanged": Damage(
        "update events set tool_name = event_type, event_type = tool_name where event_id = 'evt_1'", {START: DIGEST}
    ),
    "an event became another's": Damage(
        "update events set session_id = 's2' where event_id = 'evt_1'", {START: DIGEST}
    ),
    "an event was moved by a microsecond": Damage(
        "update events set timestamp = timestamp + interval '1 microsecond' where event_id = 'evt_0'", {START: DIGEST}
    ),
    "an event was moved by an hour": Damage(
        "update events set timestamp = timestamp + interval '1 hour' where event_id = 'evt_0'", {START: ALL, NEXT: ALL}
    ),
    "a position was changed": Damage(
        "update events set position = 77 where event_id = 'evt_0'", {START: frozenset({"position_sum"})}
    ),
    "the ledger counts one more": Damage(
        "update hour_ledger set events = events + 1 where hour = {start}", {START: frozenset({"events"})}
    ),
    "the ledger's digest was changed": Damage(
        "update hour_ledger set digest_low = digest_low + 1 where hour = {start}", {START: frozenset({"digest_low"})}
    ),
    "a row of the ledger was deleted": Damage("delete from hour_ledger where hour = {start}"),
    "a row was added to the ledger": Damage(
        "insert into hour_ledger values (0, {start} + interval '10 hours', 1, 1, 1, 1)", {EMPTY: ALL}
    ),
    "a receipt was changed": Damage(
        "update receipts set position_sum = 0 where last_position = 6", {LAST: frozenset({"position_sum"})}
    ),
    "a receipt was deleted": Damage("delete from receipts where last_position = 6", {LAST: ALL}),
    "all receipts were deleted": Damage("delete from receipts", {NEXT: ALL, LAST: ALL}),
}


TABLES = (
    *("events", "receipts", "hour_ledger", "hourly_counts", "hourly_members", "hourly_edges", "hourly_documents"),
    *("hour_seals", "retired_days", "shard_totals"),
)
SAVE = "create temporary table saved_{0} as table {0}"
PUT_BACK = "delete from {0}; insert into {0} table saved_{0}; drop table saved_{0}"


async def alter(admin: asyncpg.Connection, script: str) -> None:
    """Run one of the scripts above as an administrator."""
    await admin.execute(script.format(start=f"timestamptz '{START:%Y-%m-%d %H:%M}+00'"))


@asynccontextmanager
async def undone(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Put the rows of log, witnesses and projection back at the end of the block."""
    for table in TABLES:
        await admin.execute(SAVE.format(table))
    try:
        yield
    finally:
        for table in TABLES:
            await admin.execute(PUT_BACK.format(table))
