"""How much of the disk one question may take. PostgreSQL shares the disk, so ingest must not lack what they take.

All children of the machine together take at most a quarter of what is free beyond the bound below which events are
refused. Each question measures anew, because the disk fills meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from service.archive.failures import NO_ROOM, TOO_LARGE
from service.errors import DiskFull, ReadTooLarge
from sql.archive.rows import TooManyRows
from sql.embedded.disk import Room, room_of

SHARE_OF_FREE = 4
# How DuckDB names the bound of its temporary files.
_BOUND = "max_temp_directory_size"


@dataclass(slots=True)
class DiskShare:
    """What a question may still take, in bytes."""

    left: int

    @classmethod
    def of(cls, folder: Path, children: int) -> DiskShare:
        """Return the share of each of some children that have their folders below one. Raises OSError."""
        return cls(share_of(room_of(folder), children))

    def bounded(self, most: int) -> int:
        """Return what of `most` bytes the question may take."""
        return min(most, self.left)

    @contextmanager
    def named(self, temporary: int, *, rows: int) -> Iterator[None]:
        """Raise errors of bounds by name: only fewer bytes than these are the disk's fault.

        temporary: the most of temporary files. rows: the most of copied rows.
        """
        try:
            yield
        except TooManyRows as error:
            raise (DiskFull(NO_ROOM) if self.left < rows else ReadTooLarge(TOO_LARGE)) from error
        except duckdb.OutOfMemoryException as error:
            by_disk = self.left < temporary and _BOUND in str(error)
            raise (DiskFull(NO_ROOM) if by_disk else ReadTooLarge(TOO_LARGE)) from error


def share_of(room: Room, children: int) -> int:
    """Return the share of each of some children."""
    return max(0, room.free - room.needed) // (SHARE_OF_FREE * children)


def rounded(size: int) -> int:
    """Return a size less at most an eighth, so that a disk that changes a little does not change it."""
    step = 1 << max(0, size.bit_length() - 4)
    return size // step * step
