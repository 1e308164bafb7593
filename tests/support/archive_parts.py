"""The events of a database as parts for DuckDB: as rows, in files with property columns, and in files without."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from duckdb import ColumnExpression, ConstantExpression, Expression, FunctionExpression

from service.archive.source import Part
from sql.archive.files import COLUMNS, FLAG, KINDS, NUMBER, STRING, WHOLE, PropertyColumn, json_pointer, property_column
from sql.archive.rows import copy_rows, read_rows
from sql.database import Database

STORED = """
select
    shard, position, event_id, session_id, user_id, event_type, tool_name, action, properties::text as properties,
    demo_mode, timestamp, received_at,
    left(encode(sha256(convert_to(session_id, 'UTF8')), 'hex'), 32)::uuid as session,
    hourly_risk_mode(event_type, properties) as risk_mode,
    coalesce(properties::text ~ '[0-9.]{16,}', false) as long_numbers
from events
"""
ROWS, FILES, PLAIN_FILES = ("rows", "files", "plain files")
# Which part an hour of a shard is in, by a number of that hour.
LAYOUTS: Mapping[str, Callable[[int], str]] = {
    "rows": lambda _: ROWS,
    "files": lambda _: FILES,
    "mixed": lambda number: (FILES, ROWS, PLAIN_FILES)[number % 3],
}


class Digits(str):
    """A number as it is written."""

    __slots__ = ()


async def parts_of(database: Database, connection: duckdb.DuckDBPyConnection, folder: Path, layout: str) -> list[Part]:
    """Return parts that hold all events of a database."""
    source = folder / "rows.csv"
    async with database.snapshot() as session:
        await copy_rows(session, source, STORED)
    return spread(connection, read_rows(connection, source, COLUMNS), folder, layout)


def spread(
    connection: duckdb.DuckDBPyConnection, events: duckdb.DuckDBPyRelation, folder: Path, layout: str
) -> list[Part]:
    """Return parts that hold the given events, which have all columns."""
    name = f"stored_{secrets.token_hex(8)}"
    events.to_table(name)
    stored = connection.table(name)
    seconds = FunctionExpression("epoch", ColumnExpression("timestamp")).cast("BIGINT")
    hours = stored.select(ColumnExpression("rowid"), ColumnExpression("shard"), (seconds // 3600).alias("hour"))
    origin = {row: LAYOUTS[layout](hour + (shard or 0)) for row, shard, hour in hours.fetchall()}
    # Without events, there are rows, none of them.
    names = [name for name in (ROWS, FILES, PLAIN_FILES) if name in origin.values()] or [ROWS]
    return [_part(connection, folder, stored, name, origin) for name in names]


def _part(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    stored: duckdb.DuckDBPyRelation,
    name: str,
    origin: Mapping[int, str],
) -> Part:
    rows = [ConstantExpression(row) for row, of_row in origin.items() if of_row == name]
    events = stored.filter(ColumnExpression("rowid").isin(*rows) if rows else ConstantExpression(False))
    if name == ROWS:
        return Part(events)
    columns = property_columns([text for (text,) in events.select(ColumnExpression("properties")).fetchall()])
    columns = columns if name == FILES else ()
    in_order = [ColumnExpression(each) for each in ("session_id", "session", "timestamp", "position")]
    values = [_value(column).alias(column.column) for column in columns]
    target = str(folder / f"{name}.parquet")
    events.sort(*in_order).select(*map(ColumnExpression, COLUMNS), *values).write_parquet(target)
    return Part(connection.read_parquet(target), columns, ordered=True)


def _value(column: PropertyColumn) -> Expression:
    given = ColumnExpression("properties"), ConstantExpression(json_pointer(column.path))
    value = FunctionExpression("json_extract_string", *given)
    return value.cast(KINDS[column.kind]) if column.kind != STRING else value


def property_columns(texts: list[str | None]) -> tuple[PropertyColumn, ...]:
    """Return the columns of all properties at the top level that may have one."""
    kinds: dict[str, set[str | None]] = {}
    for text in texts:
        for name, value in json.loads(text or "{}", parse_int=Digits, parse_float=Digits).items():
            kinds.setdefault(name, set()).add(kind_of(value))
    found = list(_merged(kinds))
    folded = [column.column.lower() for column in found]
    return tuple(column for column in found if folded.count(column.column.lower()) == 1)


def _merged(kinds: Mapping[str, set[str | None]]) -> Iterator[PropertyColumn]:
    for name, of_name in kinds.items():
        # Whole numbers among others are numbers.
        merged = {NUMBER} if of_name == {WHOLE, NUMBER} else of_name
        (kind, *others) = merged
        if not others and kind is not None:
            yield property_column(name, kind)


def kind_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, Digits):
        if len(value.lstrip("-")) > 15:
            return None
        return NUMBER if "." in value else WHOLE
    return STRING if isinstance(value, str) else None
