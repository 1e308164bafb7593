"""Functions over the rows of a relation in their order, one row after the other: DuckDB's streaming windows.

They need no sort, and a row costs a few nanoseconds, but each relation is read by one thread.
"""

from __future__ import annotations

from duckdb import CoalesceOperator, ColumnExpression, DuckDBPyRelation, Expression, StarExpression

from service.archive.json_text import call, constant

UP_TO_HERE = (None, 0)


def column(name: str) -> Expression:
    """Return a column."""
    return ColumnExpression(name)


def previous(value: Expression) -> Expression:
    """Return the value of the row before, null for the first row."""
    return call("lag", value).over()


def following(value: Expression, rows: int, default: object = None) -> Expression:
    """Return the value of a later row, and the default where there is none."""
    return call("lead", value, constant(rows), constant(default)).over()


def latest(value: Expression) -> Expression:
    """Return the last value that is not null, up to this row."""
    return call("last_value", value).ignore_nulls().over(rows=UP_TO_HERE)


def largest(value: Expression) -> Expression:
    """Return the largest value up to this row."""
    return call("max", value).over(rows=UP_TO_HERE)


def total(value: Expression) -> Expression:
    """Return the sum of the values up to this row."""
    return call("sum", value).over(rows=UP_TO_HERE)


def changes(value: Expression) -> Expression:
    """Return whether the value, which is never null, differs from the row before; true for the first row."""
    return CoalesceOperator(value != previous(value), constant(True))


def having(rows: DuckDBPyRelation, **columns: Expression) -> DuckDBPyRelation:
    """Return rows with further columns."""
    return rows.select(StarExpression(), *(value.alias(name) for name, value in columns.items()))
