"""Answers which properties events have, and which values.

A property with a column of its own is counted from it. All others are read from the JSON text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from duckdb import DuckDBPyRelation, Expression

from service.archive.json_text import TEXT, call, constant, either, item_at, with_exact_numbers
from service.archive.questions import Properties
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, passing, together
from service.archive.streams import column
from service.questions.conditions import PROPERTIES
from sql.archive.files import FLAG, NUMBER, STRING, WHOLE, PropertyColumn

_TYPES = {STRING: "string", WHOLE: "number", NUMBER: "number", FLAG: "boolean"}
# Holds each number of at most 15 digits and point.
_DECIMAL = "DECIMAL(29, 14)"
_BIGINT = "BIGINT"
_NO_EVENTS = constant(0).cast(_BIGINT).alias("events")

# What follows a name in PostgreSQL's text of JSON. It may also stand in a string.
_AFTER_NAME = '": '

# A part, and those of its events that pass.
Pair = tuple[Part, DuckDBPyRelation]


def property_rows(tables: Tables, parts: Sequence[Part], question: Properties) -> Rows:
    """Return the rows of sql/archive/properties.sql."""
    pairs = [(part, passing(part, question, question.checks)) for part in parts]
    wanted = question.wanted
    given = {
        "wanted": None if wanted is None else list(wanted),
        "depth": question.most_depth if wanted is None else len(wanted),
        "most_properties": question.most_properties,
        "most_values": question.most_values,
    }
    relations = _of_all(pairs) if wanted is None else _of_one(tables, pairs, wanted)
    return rows_of(tables.connection, "properties", given=given, **relations)


def _of_all(pairs: Sequence[Pair]) -> dict[str, DuckDBPyRelation]:
    """Return what sql/archive/properties.sql reads, for all properties."""
    counted = [
        _typed(name, of_name, _counted(events, column(of_name.column)))
        for part, events in pairs
        for (name,), of_name in part.properties.columns.items()
    ]
    nothing = pairs[0][1].filter(constant(False))
    return {
        "totals": together([events.aggregate([call("count").alias("events")]) for _, events in pairs]),
        "texts": together([_texts(part, events) for part, events in pairs]),
        "items": nothing.select(*(constant("").alias(name) for name in ("name", "item")), _NO_EVENTS),
        "typed": together(counted or [_nothing_typed(nothing)]),
    }


def _of_one(tables: Tables, pairs: Sequence[Pair], wanted: tuple[str, ...]) -> dict[str, DuckDBPyRelation]:
    """Return what sql/archive/properties.sql reads, for one property. A part has it in a column or in its text."""
    name = wanted[:1]
    grouped, typed = [], []
    for part, events in pairs:
        of_name = part.properties.columns.get(name)
        found = item_at(_exact_text(), name) if of_name is None else column(of_name.column).cast(TEXT)
        origin = constant("" if of_name is None else of_name.kind).alias("kind")
        grouped.append(_counted(events, found).select(origin, column("found"), column("events")))
        if of_name is not None:
            typed.append(of_name)
    table = tables.make("grouped", together(grouped))
    there = table.filter(column("found").isnotnull())
    nothing = pairs[0][1].filter(constant(False))
    items = there.filter(column("kind") == constant(""))
    kinds = {of_name.kind: of_name for of_name in typed if wanted == name}
    of_kinds = [
        _typed(name[0], of_name, there.filter(column("kind") == constant(kind))) for kind, of_name in kinds.items()
    ]
    return {
        "totals": table.select(column("events")),
        "texts": nothing.select(constant("").alias("text"), constant([""]).alias("skipped")),
        "items": items.select(constant(name[0]).alias("name"), column("found").alias("item"), column("events")),
        "typed": together(of_kinds or [_nothing_typed(nothing)]),
    }


def _counted(events: DuckDBPyRelation, value: Expression) -> DuckDBPyRelation:
    """Return each value, as `found`, and its events."""
    return events.aggregate([value.alias("found"), call("count").cast(_BIGINT).alias("events")])


def _typed(name: str, of_name: PropertyColumn, counted: DuckDBPyRelation) -> DuckDBPyRelation:
    """Return the values of a property column, and their events."""
    value = column("found").cast(TEXT)
    if of_name.kind == NUMBER:
        value = value.cast(_DECIMAL).cast(TEXT)
    there = counted.filter(column("found").isnotnull())
    named = constant(name).alias("name"), constant(_TYPES[of_name.kind]).alias("type")
    return there.select(*named, value.alias("value"), column("events"))


def _nothing_typed(nothing: DuckDBPyRelation) -> DuckDBPyRelation:
    return nothing.select(*(constant("").alias(name) for name in ("name", "type", "value")), _NO_EVENTS)


def _texts(part: Part, events: DuckDBPyRelation) -> DuckDBPyRelation:
    """Return the texts that have names without a column."""
    columns = part.properties.columns
    skipped = constant([name for (name,) in columns]).cast(f"{TEXT}[]").alias("skipped")
    in_columns = reduce(Expression.__add__, (_is_there(of_name) for of_name in columns.values()), constant(0))
    return events.filter(_most_names() > in_columns).select(_exact_text().alias("text"), skipped)


def _most_names() -> Expression:
    """Return a number that an event has at most of names, in all depths: its text has this after each name."""
    text = column(PROPERTIES)
    without = call("replace", text, constant(_AFTER_NAME), constant(""))
    return (call("strlen", text) - call("strlen", without)) // constant(len(_AFTER_NAME))


def _is_there(of_name: PropertyColumn) -> Expression:
    return column(of_name.column).isnotnull().cast("INTEGER")


def _exact_text() -> Expression:
    """Return the JSON text. DuckDB reads a whole number as it is, so only text with a fraction needs exact numbers."""
    text = column(PROPERTIES)
    return either(call("regexp_matches", text, constant("[0-9][.][0-9]")), with_exact_numbers(text), text)
