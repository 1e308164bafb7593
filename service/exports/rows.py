"""The columns of exports, and the rows of a range in blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from service.exports.resendable_properties import sendable
from service.questions.hours import HOUR, hour_start
from service.reports.archived_events import ArchivedEvents, Wanted
from service.reports.event_pages import Event
from service.reports.rollups import MOST_KEYS, Totals, part_of
from sql.database import REPLAN, Session
from sql.hourly import ROLLUP_FIELDS
from sql.statements import Statements

# The kinds of columns. A JSON value is the text of an object. Any value may be None.
TEXT, JSON, FLAG, TIME, COUNT = ("text", "json", "flag", "time", "count")

EVENT_COLUMNS = {
    "event_id": TEXT,
    "event_type": TEXT,
    "session_id": TEXT,
    "user_id": TEXT,
    "tool_name": TEXT,
    "action": TEXT,
    "properties": JSON,
    "demo_mode": FLAG,
    "timestamp": TIME,
}
RECEIVED_AT = {"received_at": TIME}
PROPERTIES = list(EVENT_COLUMNS).index("properties")
ROLLUP_COLUMNS = {"hour": TIME, "measure": TEXT, "key": TEXT, "value": COUNT}

# The hours of rollups in memory at a time, the default range of `/rollups`.
BLOCK = 168 * HOUR

Columns = Mapping[str, str]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows, and the time up to which they complete the range."""

    rows: list[Row]
    upto: datetime


async def event_rows(
    session: Session,
    statements: Statements,
    shards: Sequence[int],
    columns: Columns,
    since: datetime,
    until: datetime,
) -> AsyncIterator[Rows]:
    """Give the rows of shards of the log of [since, until), oldest first, from the snapshot of one statement."""
    # Plan for this range, so that the plan leaves out all other days.
    await session.configure(REPLAN)
    async for found in session.chunks(statements.export_events, shards, since, until):
        # In a thread, because rewriting properties takes time and the loop must answer other requests.
        rows = await asyncio.to_thread(_events, found, columns)
        yield Rows(rows, found[-1]["timestamp"] if found else until)


async def archived_rows(archived: ArchivedEvents, columns: Columns, wanted: Wanted) -> AsyncIterator[Rows]:
    """Give the events that DuckDB finds, oldest first."""
    async for found, upto in archived.oldest(wanted):
        yield Rows(await asyncio.to_thread(_events, found, columns), upto)


def _events(found: Sequence[Event], columns: Columns) -> list[Row]:
    return [_event(event, columns) for event in found]


def _event(event: Event, columns: Columns) -> Row:
    values = [event[name] for name in columns]
    if (properties := values[PROPERTIES]) is not None:
        values[PROPERTIES] = sendable(properties)
    return tuple(values)


async def rollup_rows(
    session: Session, statements: Statements, shards: Sequence[int], since: datetime, until: datetime
) -> AsyncIterator[Rows]:
    """Give the rollups of [since, until), oldest hour first, one row per number. The session must be a snapshot.

    An hour that the range cuts has one more row: how many of its minutes count.
    """
    # With several shards read all keys, because one shard does not know which keys are the largest of all.
    most_keys = MOST_KEYS if len(shards) == 1 else None
    for start, end in _within_blocks(since, until):
        found = [await session.rows(statements.read_hourly, shard, start, end, most_keys) for shard in shards]
        total = Totals(found)
        for hour in sorted(total.hours()):
            first, last = part_of(hour, since, until)
            yield Rows(list(_numbers(hour, last - first, total.rollup(hour))), hour)
        yield Rows([], end)


def _within_blocks(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Divide a range at full hours, so that no hour is in two blocks."""
    start = since
    while start < until:
        end = min(hour_start(start) + BLOCK, until)
        yield start, end
        start = end


def _numbers(hour: datetime, counted: timedelta, rollup: dict[str, Any] | msgspec.Raw) -> Iterator[Row]:
    told = msgspec.json.decode(rollup) if isinstance(rollup, msgspec.Raw) else rollup
    if counted < HOUR:
        yield hour, "minutes", None, counted // timedelta(minutes=1)
    for measure in ("total_events", "unique_sessions"):
        yield hour, measure, None, told[measure]
    for measure in ROLLUP_FIELDS.values():
        yield from ((hour, measure, key, value) for key, value in told[measure].items())
