"""Deletes files that no hour is read from, once no reader can hold them, and what killed writers left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from projections.archive import steps
from projections.archive.folder import remove_file, remove_left_folders
from projections.archive.thread import in_thread
from projections.archive.unknown import delete_unknown
from sql.archive.files import is_file_name
from sql.database import Database

# A file that was written more recently may be about to get its hours.
PATIENCE = timedelta(minutes=1)
AT_A_TIME = 100

log = structlog.get_logger(__name__)


@dataclass
class Cleaned:
    """What a pass did, with paths below the archive directory.

    left: what it could not remove, and why. unknown: files that the catalog does not know, and that stay for now.
    """

    deleted: int = 0
    left: dict[str, OSError] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


async def clean(database: Database, archive: Path, *, patience: timedelta = PATIENCE) -> Cleaned:
    """Do one pass; what cannot be removed hinders nothing else.

    A pass deletes what an earlier one has marked: a transaction that is older than the mark may still read the file.
    Raises sql.errors.DatabaseError.
    """
    statements = database.statements
    cleaned = Cleaned(left=await in_thread(partial(remove_left_folders, archive)))
    await _delete_released(database, archive, cleaned)
    await database.rows(statements.forget_archive_hours)
    await database.rows(statements.release_archive_files, patience)
    steps.reached(steps.FILES_RELEASED)
    unknown = await delete_unknown(database, archive)
    cleaned.left |= unknown.left
    cleaned.unknown = unknown.kept
    return cleaned


async def _delete_released(database: Database, archive: Path, cleaned: Cleaned) -> None:
    tried: list[str] = []
    query = database.statements.list_released_files
    while cleaned.deleted < AT_A_TIME and (rows := await database.rows(query, tried, AT_A_TIME)):
        for row in rows:
            tried.append(row["file"])
            try:
                cleaned.deleted += await _delete(database, archive, row["file"])
            except OSError as error:
                cleaned.left[row["file"]] = error


async def _delete(database: Database, archive: Path, file: str) -> bool:
    async with database.transaction() as session:
        if not await session.rows(database.statements.delete_archive_file, file):
            return False
        steps.reached(steps.ROW_DELETED)
        # Before the commit: a row without a file is found by the next pass, a file without a row by none.
        if is_file_name(file):  # any other may lead out of the folder
            await in_thread(partial(remove_file, archive / file))
        steps.reached(steps.FILE_DELETED)
    steps.reached(steps.DELETION_COMMITTED)
    log.debug("a file of the archive is deleted", file=file)
    return True
