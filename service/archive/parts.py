"""The events of a plan as relations of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection, DuckDBPyRelation, Expression

from service.archive.checked_files import CheckedFiles
from service.archive.duck_thread import THREADS
from service.archive.json_text import any_of, call, constant
from service.archive.snapshot import ArchivedFile, Plan, Stretch
from service.archive.source import Part
from service.archive.streams import column
from sql.archive.files import COLUMNS, ROW_COLUMNS, PropertyColumn
from sql.archive.rows import read_files, read_rows

# Each part is planned by itself, so more of them cost more than columns gain that only some files have.
MOST_ALIKE = 4

Columns = tuple[PropertyColumn, ...]


def parts_of(
    connection: DuckDBPyConnection, files: CheckedFiles, plan: Plan, rows: DuckDBPyRelation | None
) -> list[Part]:
    """Return the parts: whole files with much the same columns, files with stale hours each alone, and the rows.

    Events of parts that are not `inside` may be outside of the plan's range. rows: what is in no file, or None.
    """
    whole: dict[bool, list[ArchivedFile]] = {}
    parts = []
    for each in plan.files:
        if each.is_whole:
            whole.setdefault(_is_inside(each, plan.range), []).append(each)
        else:
            relation = _read(connection, files, [each]).filter(_within_any(each.current))
            parts.append(Part(relation, each.columns, ordered=True))
    parts += [
        Part(_read(connection, files, some), columns, ordered=True, inside=inside)
        for inside, of_range in whole.items()
        for columns, alike in _alike(of_range)
        for some in _shares(alike)
    ]
    if rows is not None:
        parts.append(Part(rows, is_table=True))
    return parts


def _alike(files: Sequence[ArchivedFile]) -> Iterator[tuple[Columns, Sequence[ArchivedFile]]]:
    """Give files by the property columns that they share, at most MOST_ALIKE times.

    Files are in their order. Columns that only some of a group have are not used: the text has these properties, too.
    """
    same: dict[Columns, list[ArchivedFile]] = {}
    for file in files:
        same.setdefault(tuple(sorted(file.columns, key=lambda each: (each.path, each.kind))), []).append(file)
    groups = sorted(same.items(), key=lambda group: -sum(file.events for file in group[1]))
    kept = groups if len(groups) <= MOST_ALIKE else groups[: MOST_ALIKE - 1]
    yield from kept
    if others := groups[len(kept) :]:
        shared = set.intersection(*(set(columns) for columns, _ in others))
        chosen = {file.file for _, some in others for file in some}
        yield tuple(each for each in others[0][0] if each in shared), [file for file in files if file.file in chosen]


def _is_inside(file: ArchivedFile, asked: Stretch) -> bool:
    """Tell whether all current hours of a file are in the range asked for."""
    return all(asked.since <= hours.since and hours.until <= asked.until for hours in file.current)


def _shares(files: Sequence[ArchivedFile]) -> Iterator[Sequence[ArchivedFile]]:
    """Give the files in as many shares of about the same size as there are threads, because a thread may read one."""
    before = 0
    share: list[ArchivedFile] = []
    whole = sum(file.events for file in files)
    for file in files:
        if share and before * THREADS // whole != (before + file.events // 2) * THREADS // whole:
            yield share
            share = []
        share.append(file)
        before += file.events
    yield share


def _read(connection: DuckDBPyConnection, files: CheckedFiles, some: Sequence[ArchivedFile]) -> DuckDBPyRelation:
    return read_files(connection, [files.place(each.file) for each in some])


def read_events(connection: DuckDBPyConnection, rows: Path, *, header: bool = True) -> DuckDBPyRelation:
    """Return the events in a file of rows, with all columns of the archive's files; see derive_rows.sql."""
    derived = {
        "session": call("session_of", column("session_id")).alias("session"),
        "long_numbers": call("has_long_number", column("properties")).alias("long_numbers"),
    }
    copied = read_rows(connection, rows, ROW_COLUMNS, header=header)
    return copied.select(*(derived.get(name, column(name)) for name in COLUMNS))


def _within_any(stretches: Sequence[Stretch]) -> Expression:
    """Return whether an event is in one of some stretches."""
    timestamp = column("timestamp")
    return any_of([(timestamp >= constant(each.since)) & (timestamp < constant(each.until)) for each in stretches])
