"""Tells whether a folder is the archive of a database, by an id that both have.

A disk that is not mounted, or the folder of another machine, must not be taken for an archive whose files are lost.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from projections.archive.errors import NotTheArchive
from projections.archive.folder import make_private
from projections.archive.thread import in_thread
from sql.archive.files import MARKER
from sql.database import Database, Session
from sql.durable import replace
from sql.statements import load


async def check_archive(database: Database | Session, archive: Path) -> str:
    """Return the id of the archive. A folder without one is right as long as the catalog has no files.

    Raises NotTheArchive, other OSErrors when the folder cannot be read, and sql.errors.DatabaseError.
    """
    row = await database.only(load().read_archive_id)
    expected: str = row["archive_id"]
    found = await in_thread(partial(_read, archive / MARKER))
    if found != expected and (found is not None or row["has_files"]):
        raise NotTheArchive(archive, expected, found)
    return expected


async def is_marked(database: Database, archive: Path) -> bool:
    """Tell whether a folder has the id of the archive."""
    row = await database.only(database.statements.read_archive_id)
    found = await in_thread(partial(_read, archive / MARKER))
    return found is not None and found == str(row["archive_id"])


def mark(archive: Path, archive_id: str) -> None:
    """Make the folder the archive with this id, unless it has one."""
    if _read(archive / MARKER) is None:
        make_private(archive)
        replace(archive / MARKER, f"{archive_id}\n".encode())


def _read(marker: Path) -> str | None:
    try:
        return marker.read_bytes()[:100].decode(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
