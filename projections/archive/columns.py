"""Chooses the properties that get a column of their own in a file, and makes these columns.

A property gets one when every event of the file that has it has a value of one kind. So null means that it is absent,
and a condition on the column is one on the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
from duckdb import ColumnExpression, ConstantExpression, Expression, FunctionExpression

from sql.archive.duck import statement
from sql.archive.files import (
    COLUMNS,
    FLAG,
    KINDS,
    NUMBER,
    STRING,
    WHOLE,
    PropertyColumn,
    json_pointer,
    property_column,
)

MOST_COLUMNS = 32
# A property gets a column when at least one event in 100 has it.
ONE_OF = 100
# Names are taken from a sample of about this size.
SAMPLE = 10_000
LONGEST_NAME = 128
# A double keeps numbers of at most this many digits exactly.
MOST_DIGITS = 15
_WHOLE = {"UBIGINT", "BIGINT"}
_NO_NUMBERS = {"VARCHAR", "BOOLEAN", "NULL", "ARRAY", "OBJECT"}


@dataclass
class Found:
    """A property in the events of a file: how many events have it, and the kinds of its values."""

    events: int = 0
    kinds: set[str | None] = field(default_factory=set)


@dataclass(frozen=True)
class Source:
    """Rows to archive, with all COLUMNS, and the columns of properties that they have already.

    texts: the same rows with at least position, properties and long_numbers, where these are cheaper to read.
    """

    rows: duckdb.DuckDBPyRelation
    texts: duckdb.DuckDBPyRelation
    columns: tuple[PropertyColumn, ...] = ()

    def kinds(self) -> dict[str, str]:
        """Return the kind of each property that has a column."""
        return {column.path[0]: column.kind for column in self.columns}


def choose(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], events: int, *, from_texts: bool
) -> tuple[PropertyColumn, ...]:
    """Return the columns for a file of all sources, which have `events` events, the most frequent first.

    from_texts: names are taken from a sample of texts; else only properties with a column in a source may get one.
    """
    names = _sampled(connection, sources, events) if from_texts else _with_columns(sources)
    found: dict[str, Found] = {name: Found() for name in _frequent(names, events)}
    for source in sources:
        kinds = source.kinds()
        _add_columns(source, {name: kinds[name] for name in found if name in kinds}, found)
        _add_texts(connection, source, [name for name in found if name not in kinds], found)
    chosen = [(each.events, name, kind) for name, each in found.items() if (kind := _one_kind(each.kinds))]
    enough = [each for each in sorted(chosen, key=lambda each: (-each[0], each[1])) if each[0] * ONE_OF >= events]
    return tuple(property_column(name, kind) for _, name, kind in enough[:MOST_COLUMNS])


def _sampled(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], events: int) -> Counter[str]:
    """Return about how many events have a property, by its name."""
    names: Counter[str] = Counter()
    step = max(1, events // SAMPLE)
    for source in sources:
        source.texts.create_view("archived", replace=True)
        rows = connection.execute(statement("list_property_names"), {"step": step, "most": 4 * MOST_COLUMNS})
        names.update({name: count * step for name, count in rows.fetchall()})
    return names


def _with_columns(sources: Sequence[Source]) -> Counter[str]:
    """Return how many events have a property that has a column in their source, by its name."""
    names: Counter[str] = Counter()
    for source in sources:
        _count_columns(source, names)
    return names


def _count_columns(source: Source, names: Counter[str]) -> None:
    if source.columns:
        counts = [FunctionExpression("count", ColumnExpression(column.column)) for column in source.columns]
        (row,) = source.rows.aggregate(counts).fetchall()
        names.update({column.path[0]: count for column, count in zip(source.columns, row, strict=True)})


def _frequent(names: Counter[str], events: int) -> list[str]:
    """Return the names that about enough events have, but none of those that differ only in case.

    DuckDB ignores the case of columns' names, so a column of one could be read as the other.
    """
    enough = [name for name, count in names.most_common() if count * ONE_OF * 2 >= events and len(name) <= LONGEST_NAME]
    alike = Counter(name.casefold() for name in enough)
    return [name for name in enough if alike[name.casefold()] == 1][: 2 * MOST_COLUMNS]


def _add_columns(source: Source, kinds: dict[str, str], found: dict[str, Found]) -> None:
    names: Counter[str] = Counter()
    _count_columns(source, names)
    for name, kind in kinds.items():
        found[name].events += names[name]
        if names[name]:
            found[name].kinds.add(kind)


def _add_texts(
    connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str], found: dict[str, Found]
) -> None:
    if not names:
        return
    source.texts.create_view("archived", replace=True)
    pointers = [json_pointer([name]) for name in names]
    types: dict[str, set[str]] = {name: set() for name in names}
    rows = connection.execute(statement("list_property_kinds"), {"pointers": pointers}).fetchall()
    for kinds, events in rows:
        for name, kind in zip(names, kinds, strict=True):
            if kind is not None:
                types[name].add(kind)
                found[name].events += events
    long = _long(connection, names, types)
    for name in names:
        if types[name]:
            found[name].kinds.add(None if name in long else _kind(types[name]))


def _long(connection: duckdb.DuckDBPyConnection, names: Sequence[str], types: dict[str, set[str]]) -> set[str]:
    """Return the names that have a number of more digits than a double keeps."""
    numbers = [name for name in names if types[name] and not types[name] & _NO_NUMBERS]
    if not numbers:
        return set()
    pointers = [json_pointer([name]) for name in numbers]
    rows = connection.execute(statement("measure_numbers"), {"pointers": pointers}).fetchall()
    return {numbers[place - 1] for place, longest in rows if longest > MOST_DIGITS}


def _kind(types: set[str]) -> str | None:
    """Return the kind of a property that has values of these types of DuckDB's json_type; None when of several."""
    if types == {"VARCHAR"}:
        return STRING
    if types == {"BOOLEAN"}:
        return FLAG
    if types & _NO_NUMBERS:
        return None
    return WHOLE if types <= _WHOLE else NUMBER


def _one_kind(kinds: set[str | None]) -> str | None:
    if kinds == {WHOLE, NUMBER}:
        return NUMBER
    return next(iter(kinds)) if len(kinds) == 1 else None


def with_columns(source: Source, columns: Sequence[PropertyColumn]) -> duckdb.DuckDBPyRelation:
    """Return the rows of a source with these columns, taken from its own columns or from the text."""
    kinds = source.kinds()
    missing = [column.path[0] for column in columns if column.path[0] not in kinds]
    pointers = ConstantExpression([json_pointer([name]) for name in missing])
    texts = FunctionExpression("json_extract_string", ColumnExpression("properties"), pointers)
    own = [ColumnExpression(column.column) for column in source.columns]
    base = [ColumnExpression(name) for name in COLUMNS]
    # A step of its own, so that each text is parsed once.
    rows = source.rows.select(*base, *own, *([texts.alias("texts")] if missing else []))

    def typed(column: PropertyColumn) -> Expression:
        name = column.path[0]
        value = (
            ColumnExpression(column.column)
            if name in kinds
            else FunctionExpression(
                "list_extract", ColumnExpression("texts"), ConstantExpression(missing.index(name) + 1)
            )
        )
        return value.cast(KINDS[column.kind]).alias(column.column)

    return rows.select(*base, *(typed(column) for column in columns))
