"""Runs a statement of sql/archive over relations, and returns its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from service.archive.failures import TOO_LARGE
from service.errors import ReadTooLarge
from sql.archive.duck import statement

Rows = list[dict[str, Any]]
SCHEMA = "question"
# The most rows of an answer, and characters in them: Python holds them, beyond the bounds of DuckDB. A trend by keys
# has up to about 200,000 rows.
MOST_ROWS = 250_000
MOST_CHARACTERS = 32_000_000
ROWS_AT_A_TIME = 10_000


def rows_of(
    connection: DuckDBPyConnection, name: str, *, given: dict[str, Any] | None = None, **relations: DuckDBPyRelation
) -> Rows:
    """Return the rows of a statement. given: its parameters. relations: what it reads, by name.

    Raises ReadTooLarge when there are more than fit into memory.
    """
    for relation_name, relation in relations.items():
        relation.create_view(relation_name, replace=True)
    # A connection without result is told so by an empty description.
    cursor = connection.execute(statement(name), given or {})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in _fetched(cursor)]


def _fetched(cursor: DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    rows = characters = 0
    while some := cursor.fetchmany(ROWS_AT_A_TIME):
        rows += len(some)
        characters += sum(len(value) for row in some for value in row if isinstance(value, str))
        if rows > MOST_ROWS or characters > MOST_CHARACTERS:
            raise ReadTooLarge(TOO_LARGE)
        yield from some


@contextmanager
def tables(connection: DuckDBPyConnection) -> Iterator[Tables]:
    """Give the tables of a question. They are dropped at its end."""
    try:
        rows_of(connection, "end_question")
        rows_of(connection, "begin_question")
        yield Tables(connection)
    finally:
        rows_of(connection, "end_question")


@dataclass(frozen=True, slots=True)
class Tables:
    """Makes tables that live as long as a question."""

    connection: DuckDBPyConnection

    def make(self, name: str, rows: DuckDBPyRelation) -> DuckDBPyRelation:
        """Return the rows as a table, which is read faster when they are needed again."""
        rows.to_table(f"{SCHEMA}.{name}")
        return self.connection.table(f"{SCHEMA}.{name}")

    def add(self, name: str, rows: DuckDBPyRelation) -> None:
        """Add rows to a table."""
        rows.insert_into(f"{SCHEMA}.{name}")
