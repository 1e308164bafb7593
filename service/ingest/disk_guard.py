"""Watches the disk of the embedded PostgreSQL. Events are refused while PostgreSQL still has room for its own work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import structlog

from service.errors import DiskFull
from service.ingest.outcomes import ON_FULL_DISK
from sql.embedded.disk import Room, room_of
from sql.embedded.folders import is_of

# How long a reading counts. Appends take a few megabytes in that time.
READING_SECONDS = 0.25

log = structlog.get_logger(__name__)


class DiskGuard:
    """The guard of one disk.

    folder: the data directory. read: returns the room of its disk. seconds: how long a reading counts.
    full: whether events were refused at the last reading.
    """

    def __init__(self, folder: Path, read: Callable[[Path], Room] = room_of, seconds: float = READING_SECONDS) -> None:
        self.full = False
        self._folder = folder
        self._read = read
        self._seconds = seconds
        self._room = read(folder)
        self._read_at = float("-inf")

    def room(self) -> Room:
        """Return the last reading of the disk's room. Read it again when that is too old."""
        if monotonic() - self._read_at >= self._seconds:
            self._read_at = monotonic()
            with suppress(OSError):  # then the last reading stays
                self._room = self._read(self._folder)
            self._judge(self._room)
        return self._room

    def _judge(self, room: Room) -> None:
        full = room.free < self._bound(room)
        if full and not self.full:
            log.warning("the disk is full, events are refused", folder=str(self._folder), free=room.free)
        if self.full and not full:
            log.info("the disk has room again, events are taken", folder=str(self._folder), free=room.free)
        self.full = full

    def _bound(self, room: Room) -> int:
        """Return the free bytes that events need: more while they are refused, so that they do not come and go."""
        return room.needed + (room.reserve // 4 if self.full else 0)

    def check(self) -> None:
        """Raise DiskFull unless events may be appended."""
        self.room()
        if self.full:
            raise DiskFull(ON_FULL_DISK)

    def why_degraded(self) -> list[str]:
        """Return what is wrong with the disk, in a sentence."""
        room = self.room()
        if room.free >= room.low and not self.full:
            return []
        bound = self._bound(room) if self.full else room.low
        then = "events are refused until then" if self.full else f"events are refused below {room.needed:,}"
        # Anyone may read this without a token, so it does not name the folder.
        short = f"the disk of the database has {room.free:,} bytes free, less than {bound:,}"
        return [f"{short}: delete other files there, enlarge it, or keep events for fewer days; {then}"]


def guard_of(url: str, data_dir: Path) -> DiskGuard | None:
    """Return a guard when the URL is that of the embedded server of a data directory.

    The disk of any other server cannot be seen from here.
    """
    return DiskGuard(data_dir) if is_of(url, data_dir) and data_dir.is_dir() else None
