"""The ballast: a file that only takes room, so that removing it gives PostgreSQL room to recover on a full disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import structlog

from sql.durable import sync
from sql.embedded.disk import BALLAST, MIB, SEGMENT, Room, room_of

# How long to wait after a ballast that did not fit. Each try takes room for a moment that PostgreSQL may need.
PAUSE_SECONDS = 600.0

log = structlog.get_logger(__name__)


@dataclass
class Ballast:
    """The ballast of a data directory. read: returns the room of its disk. clock: returns seconds."""

    folder: Path
    read: Callable[[Path], Room] = room_of
    clock: Callable[[], float] = monotonic
    _warned: bool = field(default=False, init=False)
    _not_before: float = field(default=float("-inf"), init=False)

    @property
    def file(self) -> Path:
        """The file, which need not exist."""
        return self.folder / BALLAST

    def is_due(self) -> bool:
        """Whether there is room to make it. When it exists: whether the running server has no room left."""
        if self.file.exists():
            return self.read(self.folder).free < SEGMENT
        return self.clock() >= self._not_before and self._fits()

    def _fits(self) -> bool:
        room = self.read(self.folder)
        return room.free - room.ballast >= 2 * room.reserve

    def make(self) -> bool:
        """Make the ballast; return whether the room was still there.

        A quota may leave less room than the disk reports. Then the next try is due in ten minutes.
        """
        try:
            self._make()
        except OSError as error:
            if self._fits():  # otherwise the room went meanwhile
                self._pause(error)
            return False
        sync(self.folder)
        self._warned = False
        return True

    def _make(self) -> None:
        part = self.file.with_name(f"{BALLAST}.part")
        try:
            _allocate(part, self.read(self.folder).ballast)
            part.rename(self.file)
        finally:
            part.unlink(missing_ok=True)

    def _pause(self, error: OSError) -> None:
        self._not_before = self.clock() + PAUSE_SECONDS
        if not self._warned:
            log.warning("the ballast cannot be made", folder=str(self.folder), error=str(error), again=PAUSE_SECONDS)
        self._warned = True

    def release_for_start(self) -> bool:
        """Remove the ballast before a start with less free room than its size; return whether this call removed it."""
        room = self.read(self.folder)
        return room.free < room.ballast and self.release()

    def release(self) -> bool:
        """Remove the ballast; return whether there was any."""
        self.file.with_name(f"{BALLAST}.part").unlink(missing_ok=True)
        there = self.file.exists()
        self.file.unlink(missing_ok=True)
        return there


def _allocate(file: Path, size: int) -> None:
    """Make a file of real blocks, because a hole in a file takes no room."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:  # macOS
            for _ in range(size // MIB):
                os.write(descriptor, bytes(MIB))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
