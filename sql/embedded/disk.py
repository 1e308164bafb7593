"""The disk of an embedded server: how much of it is free, and how much the server needs to go on.

All bounds follow from the size of the disk, so that a small disk needs no setting.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

MIB = 2**20
GIB = 2**30
# A segment of the WAL, the least by which it grows.
SEGMENT = 16 * MIB
# The least WAL that PostgreSQL works well with: two segments are its own least.
LEAST_WAL = 4 * SEGMENT
# Under steady appends PostgreSQL's default of 1 GB makes checkpoints frequent. After each one, every changed page is
# logged in full once.
MOST_WAL = 2 * GIB
# Below this part of a disk, or below 2 GiB, it is time to make room.
LOW_PART = 20
LOW = 2 * GIB
# The name of the ballast in the data directory.
BALLAST = "ballast"


class Room(NamedTuple):
    """The room of a disk, in bytes. free: what all but root may still take. held: what the ballast takes."""

    total: int
    free: int
    held: int = 0

    @property
    def low(self) -> int:
        """Less free room than this is a warning."""
        return max(LOW, self.total // LOW_PART)

    @property
    def most_wal(self) -> int:
        """How large the WAL may become (max_wal_size)."""
        return min(MOST_WAL, max(LEAST_WAL, self.total // LOW_PART))

    @property
    def reserve(self) -> int:
        """What must stay free, so that PostgreSQL can go on without appends and recover from a crash.

        PostgreSQL panics when its WAL cannot grow, and recovery fails without room for a segment. The WAL grows until
        a checkpoint gives segments back. PostgreSQL begins one each time when half of max_wal_size was written. So that
        half is what folds, vacuum and the checkpoint itself may need after the last append.
        """
        return self.most_wal // 2

    @property
    def ballast(self) -> int:
        """The size of the ballast: a few segments for recovery, and for the small WAL that follows it (LEAST_WAL)."""
        return max(LEAST_WAL, self.most_wal // 8)

    @property
    def needed(self) -> int:
        """Events are refused below it. Where the ballast is gone, its room must be there, or events would take it."""
        return self.reserve + max(0, self.ballast - self.held)


def room_of(folder: Path) -> Room:
    """Return the room of the disk that holds a data directory. Raises OSError."""
    usage = shutil.disk_usage(folder)
    try:
        held = (folder / BALLAST).stat().st_size
    except FileNotFoundError:
        held = 0
    return Room(usage.total, usage.free, held)
