"""The folder of a worker's temporary files. What workers that were killed left behind goes when the next one starts."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from service.errors import Stopping

PREFIX = "hourledger-questions-"
LOCK = "lock"
# The mode of the folders that tempfile.mkdtemp makes.
PRIVATE = 0o700


class Scratch:
    """A folder below `base`, made when it is first needed. Its lock says that its worker lives."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._one = Lock()  # several threads may need the first folder
        self._folder: Path | None = None
        self._lock = -1
        self._removed = False

    def new_folder(self) -> Path:
        """Return a new folder. Raises OSError, and Stopping after `remove`."""
        with self._one:
            if self._removed:
                raise Stopping("the service is stopping")
            if self._folder is None:
                sweep(self._base)
                self._folder, self._lock = _locked_folder(self._base)
            return Path(tempfile.mkdtemp(dir=self._folder))

    def remove(self) -> None:
        """Remove all of it; there are no more folders then."""
        with self._one:
            self._removed = True
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                os.close(self._lock)
                self._folder = None


def sweep(base: Path) -> None:
    """Remove the folders of workers that do not live any more. The base may be /tmp, where others make folders, too."""
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _is_own(folder):
                lock = _lock(folder)
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _is_own(folder: Path) -> bool:
    """Tell whether only this user can have made what is in a folder. Raises OSError."""
    found = folder.lstat()
    is_private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == PRIVATE
    return is_private and found.st_uid == os.geteuid()


def _locked_folder(base: Path) -> tuple[Path, int]:
    """Make a folder and lock it. Another worker may sweep it in between; then make another one."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if (folder / LOCK).exists():
            return folder, lock
        os.close(lock)


def _lock(folder: Path) -> int:
    """Return the open lock of a folder. Raises BlockingIOError when it is held."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
