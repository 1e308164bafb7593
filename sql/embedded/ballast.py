"""The ballast: a file that only takes room, so that removing it gives PostgreSQL room to recover on a full disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sql.durable import sync
from sql.embedded.disk import BALLAST, MIB, SEGMENT, Room, room_of


@dataclass(frozen=True)
class Ballast:
    """The ballast of a data directory. read: returns the room of its disk."""

    folder: Path
    read: Callable[[Path], Room] = room_of

    @property
    def file(self) -> Path:
        """The file, which need not exist."""
        return self.folder / BALLAST

    def is_due(self) -> bool:
        """Whether there is room to make it. When it exists: whether the running server has no room left."""
        room = self.read(self.folder)
        return room.free < SEGMENT if self.file.exists() else room.free - room.ballast >= 2 * room.reserve

    def make(self) -> bool:
        """Make the ballast; return whether the room was still there."""
        part = self.file.with_name(f"{BALLAST}.part")
        try:
            _allocate(part, self.read(self.folder).ballast)
            part.rename(self.file)
        except OSError:  # the room went meanwhile
            return False
        finally:
            part.unlink(missing_ok=True)
        sync(self.folder)
        return True

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
