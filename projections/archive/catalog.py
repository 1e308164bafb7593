"""The catalog of the archive in PostgreSQL, as its writer uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from projections.archive.numbers import Numbers, numbers_of
from sql.archive.files import PropertyColumn
from sql.database import Database

_COLUMNS = msgspec.json.Decoder(list[PropertyColumn])


@dataclass(frozen=True, slots=True)
class Span:
    """What a file is written for: an hour of a shard, or a UTC day."""

    shard: int
    since: datetime
    until: datetime
    is_day: bool


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that is on disk under a temporary name. file: the name that it is to have."""

    span: Span
    file: str
    bytes: int
    columns: tuple[PropertyColumn, ...]
    events: int
    long_numbers: int
    hours: dict[datetime, Numbers]


@dataclass(frozen=True, slots=True)
class CurrentFile:
    """A file that holds hours of a day as they are."""

    file: str
    columns: tuple[PropertyColumn, ...]
    hours: dict[datetime, Numbers]


async def hours_to_write(
    database: Database, shard: int, version: int, leave_out: Iterable[datetime], limit: int
) -> dict[datetime, Numbers]:
    """Return hours whose events are to be written, the newest first, and what was appended to each."""
    query = database.statements.list_hours_to_archive
    rows = await database.rows(query, shard, version, list(leave_out), limit)
    return {row["hour"]: numbers_of(row) for row in rows}


async def appended(database: Database, span: Span) -> dict[datetime, Numbers]:
    """Return what was appended to each hour of a span."""
    query = database.statements.list_appended_numbers
    rows = await database.rows(query, span.shard, span.since, span.until)
    return {row["hour"]: numbers_of(row) for row in rows}


async def current_files(database: Database, span: Span) -> list[CurrentFile]:
    """Return the files that hold hours of a day as they are, each with those hours."""
    files: dict[str, CurrentFile] = {}
    rows = await database.rows(database.statements.list_current_hours, span.shard, span.since, span.until)
    for row in rows:
        columns = tuple(_COLUMNS.decode(row["property_columns"]))
        file = files.setdefault(row["file"], CurrentFile(row["file"], columns, {}))
        file.hours[row["hour"]] = numbers_of(row)
    return list(files.values())


async def begin_file(database: Database, written: WrittenFile, clock: datetime | None) -> None:
    """Record a file that is about to get its name."""
    span = written.span
    columns = msgspec.json.encode(written.columns).decode()
    counts = (written.events, written.bytes, columns, written.long_numbers)
    query = database.statements.begin_archive_file
    await database.rows(query, written.file, span.shard, span.since, span.until, *counts, clock)


async def record_hours(
    database: Database, written: WrittenFile, is_there: Callable[[], bool], clock: datetime | None
) -> list[datetime] | None:
    """Record the hours of a file that has its name; return those that are still as the file has them.

    None when the cleaning has taken the file meanwhile, or its row. is_there: tells whether the file is there; it is
    asked while the cleaning cannot take it.
    """
    statements = database.statements
    hours = sorted(written.hours)
    numbers = [written.hours[hour] for hour in hours]
    columns: Sequence[Sequence[object]] = (
        [each.events for each in numbers],
        [Decimal(each.position_sum) for each in numbers],
        [Decimal(each.digest_high) for each in numbers],
        [Decimal(each.digest_low) for each in numbers],
    )
    async with database.transaction() as session:
        if not await session.rows(statements.hold_archive_file, written.file) or not is_there():
            return None
        query = statements.record_archive_hours
        rows = await session.rows(query, written.span.shard, written.file, hours, *columns, clock)
    return [row["hour"] for row in rows]
