"""Why a file of the archive could not be written, in words for people who have no access to the machine."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb

from sql.archive.files import MARKER

FULL = "its disk has no room"
# Errors that writing a file can end with.
CANNOT_WRITE = (OSError, duckdb.Error)
_SENTENCES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: "its disk is read-only",
    errno.EACCES: "its folder may not be written",
    errno.EPERM: "its folder may not be written",
}


class NoRoom(OSError):
    """The disk of the archive has too little room."""

    def __init__(self, left: int) -> None:
        super().__init__(errno.ENOSPC, f"the archive's disk has no room: {left:,} bytes are left for it")


class NotTheArchive(OSError):
    """A folder is not the archive of the database: it lacks the archive's id, or has another one.

    sentence: what is wrong and what to do, in words that name no folder.
    """

    def __init__(self, folder: Path, expected: str, found: str | None) -> None:
        if found is None:
            there = f"it has no {MARKER} although files were written"
            remedy = "mount its disk or set HOURLEDGER_ARCHIVE_DIR to it"
            remedy += f"; if its files are lost, write {expected} into {MARKER} there, and they are written anew"
        else:
            there = f"its {MARKER} holds the id of another archive, not {expected}"
            remedy = "set HOURLEDGER_ARCHIVE_DIR to the right one, or to an empty folder if there is none"
        self.sentence = f"its folder is not the archive of this database: {there}; {remedy}"
        what = "nothing" if found is None else repr(found)
        where = (
            f"{folder} is not the archive of this database: {folder / MARKER} should hold {expected}, and holds {what}"
        )
        super().__init__(f"{where}; {remedy}")


class Mismatch(Exception):
    """A file does not hold what was appended. The message says which hour, what was expected and what was there."""


def why(error: Exception) -> str:
    """Return why writing failed. Names no folder, because anyone may read it."""
    if isinstance(error, NotTheArchive):
        return error.sentence
    if isinstance(error, OSError):
        number = error.errno or 0
        return _SENTENCES.get(number, f"its disk fails ({os.strerror(number)})")
    for number, sentence in _SENTENCES.items():
        if os.strerror(number) in str(error):
            return sentence
    if isinstance(error, duckdb.OutOfMemoryException):
        return "a file needs more memory or temporary files than it may take"
    return "DuckDB cannot write a file; the projector's log says why"
