"""Makes one sorted file from rows of PostgreSQL, or from the files of a day, in a bounded amount of memory."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from itertools import pairwise
from pathlib import Path

import duckdb
from duckdb import ColumnExpression, ConstantExpression, Expression

from projections.archive.catalog import CurrentFile
from projections.archive.columns import SAMPLE, Source, choose, with_columns
from projections.archive.numbers import HOUR
from sql.archive.duck import statement
from sql.archive.files import ROW_COLUMNS, PropertyColumn, is_of_hour
from sql.archive.rows import read_files, read_rows

ORDER = ("session_id", "timestamp", "position")
# The most events that are sorted in memory; more are sorted by parts.
SLICE = 1_000_000
# About what PostgreSQL's row takes as CSV. Where it takes more, fewer events are kept in memory.
ROW_BYTES = 300
Made = tuple[tuple[PropertyColumn, ...], int, int]


def make_from_rows(connection: duckdb.DuckDBPyConnection, rows: Path, file: Path, *, slice_of: int = SLICE) -> Made:
    """Write rows of PostgreSQL into a file; return its property columns, its events, and those with long numbers.

    slice_of: how many events are sorted at a time. Other files of this function are in the folder of `file`.
    """
    read_rows(connection, rows, ROW_COLUMNS).create_view("sent")
    if rows.stat().st_size > slice_of * ROW_BYTES:
        unsorted = file.with_name("unsorted.parquet")
        connection.table("sent").create_view("sorted")
        _write_file(connection, unsorted)
        read_files(connection, [unsorted]).create_view("copied")
    else:
        connection.execute(statement("copy_rows"))
    for name in ("derive_rows", "read_texts"):
        connection.execute(statement(name))
    source = Source(connection.view("derived"), connection.view("texts"))
    return _write(connection, [source], file, slice_of, from_texts=True)


def make_day(
    connection: duckdb.DuckDBPyConnection,
    archive: Path,
    files: Sequence[CurrentFile],
    file: Path,
    *,
    slice_of: int = SLICE,
) -> Made:
    """Write the current hours of files into one file; return as `make_from_rows` does."""
    # Files of hours with the same columns are read as one, because DuckDB keeps memory for each relation that it sorts.
    alike: dict[tuple[PropertyColumn, ...], list[CurrentFile]] = {}
    for each in files:
        if is_of_hour(each.file):
            alike.setdefault(tuple(sorted(each.columns, key=lambda column: column.path)), []).append(each)
    sources = [_source(connection, archive, some) for some in alike.values()]
    sources += [_source(connection, archive, [each]) for each in files if not is_of_hour(each.file)]
    return _write(connection, sources, file, slice_of, from_texts=False)


def _source(connection: duckdb.DuckDBPyConnection, archive: Path, files: Sequence[CurrentFile]) -> Source:
    rows = read_files(connection, [archive / each.file for each in files])
    hours = sorted(hour for each in files for hour in each.hours)
    rows = rows.filter(reduce(Expression.__or__, [_in_hour(hour) for hour in hours]))
    return Source(rows, rows, files[0].columns)


def _in_hour(hour: datetime) -> Expression:
    timestamp = ColumnExpression("timestamp")
    return (timestamp >= ConstantExpression(hour)) & (timestamp < ConstantExpression(hour + HOUR))


def _write(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], file: Path, slice_of: int, *, from_texts: bool
) -> Made:
    events = sum(_count(connection, source) for source in sources)
    columns = choose(connection, sources, events, from_texts=from_texts)
    rows = reduce(duckdb.DuckDBPyRelation.union, [with_columns(source, columns) for source in sources])
    sessions = _bounds(rows, events, slice_of)
    if not sessions:
        _sort(connection, rows, file)
    else:
        # Sorting a part of the sessions at a time keeps within memory what DuckDB would put on disk many times over.
        slices = [
            _sort(connection, rows.filter(_between(*bounds)), file.with_name(f"slice-{number}.parquet"))
            for number, bounds in enumerate(pairwise([None, *sessions, None]))
        ]
        read_files(connection, slices).create_view("sorted", replace=True)
        _write_file(connection, file)
    query = statement("count_long_numbers")
    ((long_numbers,),) = connection.execute(query, {"file": glob.escape(str(file))}).fetchall()
    return columns, events, long_numbers


def _sort(connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation, file: Path) -> Path:
    rows.sort(*(ColumnExpression(name) for name in ORDER)).create_view("sorted", replace=True)
    _write_file(connection, file)
    return file


def _write_file(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    connection.execute(statement("write_file"), {"file": str(file)})


def _bounds(rows: duckdb.DuckDBPyRelation, events: int, slice_of: int) -> list[str]:
    """Return session ids that cut rows into parts of about `slice_of` events; none when one part is enough."""
    parts = -(-events // slice_of)
    if parts < 2:
        return []
    step = max(1, events // SAMPLE)
    sampled = rows.filter(ColumnExpression("position") % ConstantExpression(step) == ConstantExpression(0))
    ids = sorted(session_id for (session_id,) in sampled.select(ColumnExpression("session_id")).fetchall())
    return sorted({ids[len(ids) * part // parts] for part in range(1, parts)} if ids else set())


def _between(since: str | None, until: str | None) -> Expression:
    """Return the condition of rows whose session is in a range; None stands for no bound."""
    session_id = ColumnExpression("session_id")
    beyond = ConstantExpression(True) if since is None else session_id >= ConstantExpression(since)
    return beyond if until is None else beyond & (session_id < ConstantExpression(until))


def _count(connection: duckdb.DuckDBPyConnection, source: Source) -> int:
    source.texts.create_view("archived", replace=True)
    ((events,),) = connection.execute(statement("count_rows")).fetchall()
    return int(events)
