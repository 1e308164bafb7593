"""Finds files that the catalog does not know, and deletes those of days whose events are to be kept no longer.

A database that was restored from an older backup, or copied, does not know what was written since. Such a file may be
the only copy of its events, so it stays until the end of their retention. Nothing else would ever delete it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import structlog

from projections.archive.folder import remove_file
from projections.archive.identity import is_marked
from projections.archive.thread import in_thread
from sql.archive.files import day_of, is_file_name
from sql.database import Database

# A file's row is committed before it gets its name. The catalog of a writer that stood still may have lost the row.
AGE = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Files that the catalog does not know. kept: those that stay. left: those that could not be deleted, and why."""

    kept: list[str] = field(default_factory=list)
    left: dict[str, OSError] = field(default_factory=dict)


async def delete_unknown(database: Database, archive: Path) -> Unknown:
    """Delete unknown files of days that are gone, from the archive of the database and from no other folder."""
    found = Unknown()
    if not await is_marked(database, archive):
        return found
    old = await in_thread(partial(_old_files, archive, time.time() - AGE.total_seconds()))
    for row in await database.rows(database.statements.list_unknown_files, list(old), list(old.values())):
        if not row["is_gone"]:
            found.kept.append(row["file"])
            continue
        try:
            await in_thread(partial(remove_file, archive / row["file"]))
            log.info("a file that the archive's catalog does not know is deleted", file=row["file"])
        except OSError as error:
            found.left[row["file"]] = error
    return found


def _old_files(archive: Path, before: float) -> dict[str, date]:
    """Return the files with a name of the archive that got content and name before a moment, each with its day."""
    old = {}
    for place in archive.glob("site=*/day=*/*.parquet"):
        with suppress(FileNotFoundError, ValueError):  # such as the 31st of February
            found = place.lstat()
            file = place.relative_to(archive).as_posix()
            if is_file_name(file) and max(found.st_mtime, found.st_ctime) < before:
                old[file] = day_of(file)
    return old
