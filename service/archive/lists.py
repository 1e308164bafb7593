"""Answers with events themselves: how many pass in each hour, and pages of them.

The time of events alone tells which may be on a page, then their ids do. Only then are their texts read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Any

from duckdb import CoalesceOperator, DuckDBPyRelation, Expression

from service.archive.json_text import call, constant
from service.archive.list_questions import EVENT_COLUMNS, EventPage, HourCounts, Place
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import EPOCH, MICROSECOND, Part, passing, together
from service.archive.streams import column
from sql.archive.files import COLUMNS

_HOUR_MICROSECONDS = 3_600_000_000
_READ = (*EVENT_COLUMNS, "position")
_TEXTS = [name for name in EVENT_COLUMNS if COLUMNS[name] == "VARCHAR"]


def hour_rows(tables: Tables, parts: Sequence[Part], question: HourCounts) -> Rows:
    """Return the rows of sql/archive/list_hours.sql, with the hours as times."""
    hour = (_moment() // constant(_HOUR_MICROSECONDS)).alias("hour")
    counted = [
        passing(part, question, question.checks).aggregate([hour, call("count").alias("events")]) for part in parts
    ]
    rows = rows_of(tables.connection, "list_hours", counted=together(counted))
    return [row | {"hour": EPOCH + row["hour"] * timedelta(hours=1)} for row in rows]


def page_rows(tables: Tables, parts: Sequence[Part], question: EventPage) -> Rows:
    """Return the events of a page in their order, each with `more`: whether another one follows."""
    events = together([_after(passing(part, question, question.checks), question).select(*_READ) for part in parts])
    near = events.filter(_within(_last_moment(tables, events, question), question))
    places = tables.make("places", _first(near.select(*_placed()), question, question.most + 1))
    sizes = [size for (size,) in _first(places, question, question.most + 1).select("size").fetchall()]
    count = _fitting(sizes[: question.most], question.most_bytes)
    chosen = tables.make("chosen", _first(places, question, count).select("shard", "position"))
    rows = rows_of(tables.connection, "list_page", events=near, chosen=chosen)
    rows.sort(key=lambda row: (row["timestamp"], row["event_id"], row["shard"]), reverse=not question.oldest_first)
    return [_event(row, more=place < len(sizes)) for place, row in enumerate(rows, 1)]


def _after(events: DuckDBPyRelation, question: EventPage) -> DuckDBPyRelation:
    """Return the events after the question's place."""
    if (place := question.after) is None:
        return events
    return events.filter(_is_after(place, oldest_first=question.oldest_first))


def _is_after(place: Place, *, oldest_first: bool) -> Expression:
    timestamp, event_id, shard = (column(name) for name in ("timestamp", "event_id", "shard"))
    at, last_id, last_shard = (constant(value) for value in (place.timestamp, place.event_id, place.shard))
    if oldest_first:
        further = (event_id > last_id) | ((event_id == last_id) & (shard > last_shard))
        return (timestamp >= at) & ((timestamp > at) | further)
    further = (event_id < last_id) | ((event_id == last_id) & (shard < last_shard))
    return (timestamp <= at) & ((timestamp < at) | further)


def _last_moment(tables: Tables, events: DuckDBPyRelation, question: EventPage) -> int | None:
    """Return the microsecond of the last event that the page may need, None when it needs all events."""
    moments = _ordered(events.select(_moment().alias("moment")), ["moment"], question).limit(question.most + 1)
    (row,) = rows_of(tables.connection, "read_moments", moments=moments)
    if row["events"] <= question.most:
        return None
    moment: int = row["last"] if question.oldest_first else row["first"]
    return moment


def _within(moment: int | None, question: EventPage) -> Expression:
    if moment is None:
        return constant(True)
    at = constant(EPOCH + moment * MICROSECOND)
    timestamp = column("timestamp")
    return timestamp <= at if question.oldest_first else timestamp >= at


def _placed() -> list[Expression]:
    """Return what the order of events needs, and the bytes of their texts."""
    size = constant(0)
    for name in _TEXTS:
        size = size + CoalesceOperator(call("strlen", column(name)), constant(0))
    return [*map(column, ("timestamp", "event_id", "shard", "position")), size.alias("size")]


def _first(events: DuckDBPyRelation, question: EventPage, most: int) -> DuckDBPyRelation:
    return _ordered(events, ["timestamp", "event_id", "shard"], question).limit(most)


def _ordered(events: DuckDBPyRelation, names: Sequence[str], question: EventPage) -> DuckDBPyRelation:
    keys = [column(name) for name in names]
    return events.sort(*(key if question.oldest_first else key.desc() for key in keys))


def _fitting(sizes: Sequence[int], most_bytes: int) -> int:
    """Return how many events fit: at least one, if there is one."""
    fitting = sum(total <= most_bytes for total in accumulate(sizes))
    return max(fitting, min(1, len(sizes)))


def _moment() -> Expression:
    return call("epoch_us", column("timestamp"))


def _event(row: dict[str, Any], *, more: bool) -> dict[str, Any]:
    return row | {name: EPOCH + row[name] * MICROSECOND for name in ("timestamp", "received_at")} | {"more": more}
