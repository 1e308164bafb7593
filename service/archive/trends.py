"""Answers trends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from duckdb import DuckDBPyRelation, Expression

from service.archive.conditions import Properties
from service.archive.divided import Keyed, keyed
from service.archive.json_text import call, constant
from service.archive.keys import NO_KEY, event_key, named_key
from service.archive.questions import PART, WHOLE, Trend
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, bucket, together
from service.archive.streams import column
from service.questions.divisions import Division

_DIMENSIONS = ("event_type", "tool_name", "risk_mode", "action", "demo_mode")
# What is counted, and the column that is then needed.
_MEMBERS = {"sessions": "session", "users": "user_id"}
_BIGINT = "BIGINT"
_WHOLE = constant(WHOLE).cast("INTEGER")


def trend_rows(tables: Tables, parts: Sequence[Part], question: Trend) -> Rows:
    """Return the rows of sql/archive/trend.sql."""
    by = None if question.divided_by is None else Division(question.divided_by, question.path)
    events = together([_events(found, question) for found in keyed(tables, parts, question, by)])
    divided = ["part"] if question.divided_by is not None else []
    dimensions = [name for name in _DIMENSIONS if name in question.named]
    members = [name for measure, name in _MEMBERS.items() if measure in question.named]
    groups = _grouped(events, [*divided, *members])
    if members:
        groups = tables.make("groups", groups)
    # Groups of members and of dimensions at once would be too many.
    by_key = _grouped(events, [*dimensions, *divided]) if dimensions else _summed(groups, divided)
    counted = tables.make("counted", by_key)
    return rows_of(
        tables.connection,
        "trend",
        given={"most": question.most, "whole": question.whole, "parts": PART in question.named},
        counted=_with_all_keys(counted),
        members=together([_no_members(counted), *_members(tables, groups, question)]),
    )


def _events(found: Keyed, question: Trend) -> DuckDBPyRelation:
    """Return of each event what is counted; null for what is not."""
    dimensions = [name for name in _DIMENSIONS if name in question.named]
    keys = [_key(name, question).alias(name) for name in dimensions]
    if question.divided_by is not None:
        keys.append(named_key(found.key, question.keys).alias("part"))
    members = [column(name) for measure, name in _MEMBERS.items() if measure in question.named]
    tool = column("tool_name") if question.counts_tools else NO_KEY
    return found.events.select(bucket(question.bounds).alias("bucket"), *keys, *members, tool.alias("tool"))


def _key(dimension: str, question: Trend) -> Expression:
    return named_key(event_key(dimension, None, Properties(())), question.keys)


def _grouped(events: DuckDBPyRelation, keys: Sequence[str]) -> DuckDBPyRelation:
    amounts = call("count").alias("events"), call("count", column("tool")).alias("tool_uses")
    return events.aggregate([column("bucket"), *map(column, keys), *amounts])


def _summed(groups: DuckDBPyRelation, keys: Sequence[str]) -> DuckDBPyRelation:
    amounts = [call("sum", column(name)).cast(_BIGINT).alias(name) for name in ("events", "tool_uses")]
    return groups.aggregate([column("bucket"), *map(column, keys), *amounts])


def _with_all_keys(counted: DuckDBPyRelation) -> DuckDBPyRelation:
    there = counted.columns
    keys = [column(name) if name in there else NO_KEY.alias(name) for name in (*_DIMENSIONS, "part")]
    return counted.select(column("bucket"), *keys, column("events"), column("tool_uses"))


def _members(tables: Tables, groups: DuckDBPyRelation, question: Trend) -> Iterator[DuckDBPyRelation]:
    """Give the numbers of distinct members, of each bucket and of the whole, of all events and of each part."""
    for measure, name in _MEMBERS.items():
        if question.counts(measure):
            rows = groups if measure == "sessions" else groups.filter(column("user_id").isnotnull())
            yield from _distinct(tables, rows, question, name, [])
            if question.divided_by is not None:
                yield from _distinct(tables, rows.filter(column("part").isnotnull()), question, name, ["part"])


def _distinct(
    tables: Tables, rows: DuckDBPyRelation, question: Trend, name: str, keys: Sequence[str]
) -> Iterator[DuckDBPyRelation]:
    """Give the numbers of the distinct members in a column. Those of the whole are found among those of the buckets."""
    counts_identified = name == "session" and question.counts("identified")
    is_identified = column("user_id").isnotnull() if counts_identified else constant(False)
    place = "_".join((name, *keys))
    each = tables.make(f"each_{place}", _member_rows(rows, ["bucket", *keys, name], is_identified))
    amounts = [_amounts(each, ["bucket", *keys])]
    if question.whole:
        of_whole = _member_rows(each, [*keys, name], column("identified"))
        in_one = of_whole.select(_WHOLE.alias("bucket"), *map(column, of_whole.columns))
        amounts.append(_amounts(in_one, ["bucket", *keys]))
    counted = tables.make(f"amounts_{place}", together([_in_order(one) for one in amounts]))
    measures = {"session": ["sessions", *(["identified"] if counts_identified else [])], "user_id": ["users"]}
    for measure in measures[name]:
        amount = column("identified" if measure == "identified" else "members").alias("amount")
        found = counted.select(column("bucket"), column("part"), constant(measure).alias("measure"), amount)
        yield found.filter(column("amount") > constant(0))


def _member_rows(rows: DuckDBPyRelation, keys: Sequence[str], is_identified: Expression) -> DuckDBPyRelation:
    """Return a row for each member of each key, and whether any of its rows is identified."""
    return rows.aggregate([*map(column, keys), call("bool_or", is_identified).alias("identified")])


def _amounts(members: DuckDBPyRelation, keys: Sequence[str]) -> DuckDBPyRelation:
    amounts = call("count").alias("members"), call("count_if", column("identified")).cast(_BIGINT).alias("identified")
    return members.aggregate([*map(column, keys), *amounts])


def _in_order(amounts: DuckDBPyRelation) -> DuckDBPyRelation:
    part = column("part") if "part" in amounts.columns else NO_KEY.alias("part")
    return amounts.select(column("bucket"), part, column("members"), column("identified"))


def _no_members(counted: DuckDBPyRelation) -> DuckDBPyRelation:
    named = NO_KEY.alias("part"), constant("").alias("measure")
    return counted.filter(constant(False)).select(column("bucket"), *named, column("events").alias("amount"))
