"""What files of the archive hold, from the files alone: the bytes by the name, the hours by their digests."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from projections.archive.folder import sha256_of
from projections.archive.numbers import Numbers, count_file
from projections.archive.writer import MEMORY, THREADS
from sql.archive.duck import connect
from sql.archive.files import digest_of, is_file_name

# What changes with a file, as far as the file system tells.
Identity = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    wrong: why it is not the file of its name; None when it is. hours: the numbers of each shard and hour.
    """

    wrong: str | None
    hours: dict[tuple[int, datetime], Numbers] = field(default_factory=dict)


class Contents:
    """Reads a file whole once, and again when its size, a time of it or its inode has changed."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self._known: dict[str, tuple[Identity, Content]] = {}

    def of(self, file: str, size: int) -> Content:
        """Return what a file holds. size: the bytes that it had when it was written."""
        identity = _identity(self.archive / file) if is_file_name(file) else None
        known = self._known.get(file)
        if known is not None and known[0] == identity:
            return known[1]
        content = _read(self.archive, file, size)
        if identity is not None:
            self._known[file] = identity, content
        return content

    def forget(self, file: str) -> None:
        """Read a file again, even if it has not changed."""
        self._known.pop(file, None)


def _identity(place: Path) -> Identity | None:
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev


def _read(archive: Path, file: str, size: int) -> Content:
    if wrong := wrong_bytes(archive, file, size):
        return Content(wrong)
    try:
        with closing(connect(None, MEMORY, THREADS)) as duck:
            return Content(None, count_file(duck, archive / file))
    except duckdb.Error as error:
        return Content(f"DuckDB cannot read it: {' '.join(str(error).split())}")


def wrong_bytes(archive: Path, file: str, size: int) -> str | None:
    """Return why the bytes of a file are not those of its name; None when they are."""
    if not is_file_name(file):
        return "its name is none that the archive gives"
    place = archive / file
    try:
        found = place.stat().st_size
        if found != size:
            return f"it has {found:,} bytes, not {size:,}"
        if (digest := sha256_of(place)) != digest_of(file):
            return f"its content has the SHA-256 {digest}, not that of its name"
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return None
