"""Writes one file of the archive: makes it, proves it from the file itself, gives it its name, and records its hours.

A crash at any step leaves the archive as it was, and garbage that a later pass removes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import structlog

from projections.archive import steps
from projections.archive.catalog import (
    CurrentFile,
    Span,
    WrittenFile,
    appended,
    begin_file,
    current_files,
    record_hours,
)
from projections.archive.errors import Mismatch, NoRoom
from projections.archive.folder import close_to_all, put_in_place, room_for, sha256_of, writing_folder
from projections.archive.making import Made, make_day, make_from_rows
from projections.archive.numbers import Numbers, count_file
from projections.archive.thread import in_thread
from sql.archive.duck import TEMPORARY, connect
from sql.archive.files import file_name
from sql.archive.rows import copy_rows
from sql.database import ONLY_ITS_DAY, Database
from sql.durable import sync

MEMORY = "512MB"
THREADS = 1
ROWS = "rows.csv"
FILE = "file.parquet"

log = structlog.get_logger(__name__)
Make = Callable[[duckdb.DuckDBPyConnection, Path], Made]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes files into one archive. clock: None for the database's."""

    database: Database
    archive: Path
    clock: datetime | None = None
    memory: str = MEMORY

    async def write_rows(self, span: Span, expected: Mapping[datetime, Numbers]) -> str | None:
        """Write the rows of a span into a file; return its name when it holds what was appended to each of its hours.

        expected: what was appended, by hour.

        It does not when events were appended meanwhile, or the day is no longer there. Raises Mismatch, the errors of
        `errors.CANNOT_WRITE`, and sql.errors.DatabaseError.
        """
        with writing_folder(self.archive) as folder:
            steps.reached(steps.FOLDER_MADE)
            room = self._room(folder)
            rows = folder / ROWS
            if not await self._copy(span, rows, room):
                return None
            steps.reached(steps.ROWS_COPIED)
            # What DuckDB puts aside is about as large as the rows.
            written = await self._make(span, folder, lambda duck, file: make_from_rows(duck, rows, file), room // 2)
            wrong = written.hours != expected
            if wrong and await appended(self.database, span) != expected:
                log.debug("events came while they were archived", since=span.since.isoformat(), shard=span.shard)
                return None
            if wrong:
                raise Mismatch(_difference(span, expected, written.hours))
            recorded = await self._publish(written, folder / FILE)
            return written.file if len(recorded) == len(expected) else None

    async def write_day(self, span: Span) -> bool:
        """Write the hours of a day that files hold as they are into one file; return whether an hour was recorded.

        Raises as write_rows does.
        """
        files = await current_files(self.database, span)
        if len(files) < 2:  # another writer was faster
            return False
        expected = {hour: numbers for file in files for hour, numbers in file.hours.items()}
        with writing_folder(self.archive) as folder:
            steps.reached(steps.FOLDER_MADE)
            room = self._room(folder)
            written = await self._make(span, folder, self._merge(files), room)
            if written.hours != expected:
                raise Mismatch(_difference(span, expected, written.hours))
            return bool(await self._publish(written, folder / FILE))

    def _merge(self, files: list[CurrentFile]) -> Make:
        return lambda duck, file: make_day(duck, self.archive, files, file)

    def _room(self, folder: Path) -> int:
        room = room_for(folder)
        if room <= 0:
            raise NoRoom(room)
        return room

    async def _copy(self, span: Span, rows: Path, room: int) -> bool:
        statements = self.database.statements
        async with self.database.transaction() as session:
            await session.configure(ONLY_ITS_DAY)
            if not (await session.only(statements.hold_day, span.since))["held"]:
                return False
            await copy_rows(session, rows, statements.copy_span, span.shard, span.since, span.until, most=room // 2)
        return True

    async def _make(self, span: Span, folder: Path, make: Make, temporary: int) -> WrittenFile:
        """Make a file in the folder, put it on disk, and recompute its numbers from it."""
        file = folder / FILE
        with closing(_connected(folder, self.memory, temporary)) as duck:
            columns, events, long_numbers = await in_thread(lambda: make(duck, file), duck)
            steps.reached(steps.FILE_WRITTEN)
            numbers = await in_thread(lambda: count_file(duck, file), duck)
        digest = await in_thread(lambda: _settled(file))
        site = (await self.database.only(self.database.statements.read_site_of_shard, span.shard))["site"]
        name = file_name(span.shard, span.since, day=span.is_day, digest=digest, site=site)
        hours = {hour: found for (shard, hour), found in numbers.items() if shard == span.shard}
        if len(hours) != len(numbers):
            raise Mismatch(f"a file of shard {span.shard} has events of other shards: {sorted(numbers)}")
        steps.reached(steps.NUMBERS_PROVEN)
        return WrittenFile(span, name, file.stat().st_size, columns, events, long_numbers, hours)

    async def _publish(self, written: WrittenFile, file: Path) -> list[datetime]:
        """Give a file its name and record its hours; return those that it holds as they are."""
        place = self.archive / written.file
        recorded = None
        while recorded is None:
            await begin_file(self.database, written, self.clock)
            steps.reached(steps.FILE_RECORDED)
            if not await in_thread(lambda: put_in_place(file, place)):
                return []  # the cleaning took it while this process stood still; a later pass writes it again
            steps.reached(steps.NAME_ON_DISK)
            recorded = await record_hours(self.database, written, place.exists, self.clock)
        steps.reached(steps.HOURS_RECORDED)
        what = "a day is archived" if written.span.is_day else "an hour is archived"
        log.debug(what, file=written.file, events=written.events, bytes=written.bytes, hours=len(recorded))
        return recorded


def _connected(folder: Path, memory: str, temporary: int) -> duckdb.DuckDBPyConnection:
    return connect(folder, memory, THREADS, temporary=min(temporary, TEMPORARY))


def _settled(file: Path) -> str:
    """Put a complete file on disk; return its SHA-256."""
    close_to_all(file)
    sync(file)
    return sha256_of(file)


def _difference(span: Span, expected: Mapping[datetime, Numbers], found: Mapping[datetime, Numbers]) -> str:
    wrong = sorted(hour for hour in {*expected, *found} if expected.get(hour) != found.get(hour))
    return "; ".join(
        f"hour {hour:%Y-%m-%dT%H:%MZ} of shard {span.shard}: appended {expected.get(hour)}, the file holds"
        f" {found.get(hour)}"
        for hour in wrong[:3]
    )
