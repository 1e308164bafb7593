"""A small disk of its own, which a test can fill with a foreign file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sql.embedded.disk import MIB, Room, room_of
from tests.support.servers import folder_for_servers

# As much as a new database takes with its ballast, and as much again.
MEGABYTES = 400
STEP = 4 * MIB


@dataclass(frozen=True)
class SmallDisk:
    """A mounted file system in memory. data: the data directory of a server on it."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def foreign(self) -> Path:
        """The file of another program."""
        return self.folder / "foreign"

    @property
    def room(self) -> Room:
        return room_of(self.data)

    def fill(self, leave: int = 0) -> None:
        """Let the foreign file grow until `leave` bytes are free; others may free and take room meanwhile."""
        with self.foreign.open("ab", buffering=0) as file:
            while (more := self.room.free - leave) > 0:
                try:
                    file.write(bytes(min(more, STEP)))
                except OSError:
                    return

    @contextmanager
    def filled(self, leave: int = 0) -> Iterator[None]:
        """Fill it during the block."""
        self.fill(leave)
        try:
            yield
        finally:
            self.empty()

    def empty(self) -> None:
        """Remove the foreign file."""
        self.foreign.unlink(missing_ok=True)


def why_not() -> str | None:
    """Return why no small disk can be mounted here, None when one can."""
    if os.geteuid() != 0:
        return "only root may mount a small disk"
    try:
        with small_disk():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no small disk can be mounted: {error}"


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """Give a small disk."""
    with folder_for_servers() as folder:
        place = folder / "disk"
        place.mkdir()
        options = f"size={MEGABYTES}m,mode=711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True, capture_output=True)
        try:
            (place / "data").mkdir(mode=0o711)
            yield SmallDisk(place)
        finally:
            subprocess.run(["umount", place], check=True)
