"""Brings the events of a day that only the archive has back into a table of PostgreSQL, exactly as they were."""

from __future__ import annotations

import glob
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from projections.archive import steps
from projections.archive.identity import check_archive
from projections.archive.numbers import BEGINNING, HOUR
from projections.archive.proof import ArchivedFile, archived_files, what_is_wrong
from projections.archive.thread import in_thread
from projections.archive.writer import MEMORY, THREADS
from sql.archive.duck import connect, statement
from sql.archive.files import place_of
from sql.database import Database
from sql.retention import DAY

ROWS_AT_ONCE = 1_000
# How many of the last columns of read_events are moments.
_MOMENTS = 2


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the start and the end of a UTC day."""
    since = datetime.combine(day, time(), UTC)
    return since, since + DAY


async def restore(database: Database, archive: Path, day: date) -> str | None:
    """Put the events of a day into a table of their own; return why they are not what was sealed, None when they are.

    What a former try left there is dropped. Raises OSError when the folder is not the archive, and
    sql.errors.DatabaseError.
    """
    statements = database.statements
    await check_archive(database, archive)
    await database.rows(statements.begin_restoring, day)
    for file in await archived_files(database, None, *bounds(day)):
        if wrong := await in_thread(partial(what_is_wrong, archive, file, numbers=False)):
            return f"archive file {file.file}: {wrong}"
        try:
            async for rows in _events(archive, file):
                columns = [list(column) for column in zip(*rows, strict=True)]
                moments = [[BEGINNING + timedelta(microseconds=each) for each in some] for some in columns[-_MOMENTS:]]
                await database.rows(statements.restore_events, day, *columns[:-_MOMENTS], *moments)
                steps.reached(steps.PARTLY_RESTORED)
        except duckdb.Error as error:
            return f"archive file {file.file}: {' '.join(str(error).split())}"
    for row in await database.rows(statements.restored_breaks, day):
        where = f"hour {row['hour']:%H:%M} of shard {row['shard']}"
        return f"{where} has {row['restored']:,} events in the archive, and other {row['sealed']:,} were sealed"
    steps.reached(steps.RESTORED)
    return None


async def _events(archive: Path, file: ArchivedFile) -> AsyncIterator[Sequence[tuple[Any, ...]]]:
    """Yield the events of the hours that are read from a file, some at a time."""
    place = glob.escape(str(place_of(archive, file.file)))
    hours = [(hour - BEGINNING) // HOUR for hour in file.hours]
    with closing(connect(None, MEMORY, THREADS)) as duck:
        query = partial(duck.execute, statement("read_events"), {"file": place, "hours": hours})
        found = await in_thread(query, duck)
        while rows := await in_thread(partial(found.fetchmany, ROWS_AT_ONCE), duck):
            yield rows
