"""The folder that workers count into, see service/http/metrics.py. It goes with the server, however that ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

PREFIX = "hourledger-metrics-"
LOCK = "server"
MEMORY = "/dev/shm"  # noqa: S108


@contextmanager
def counts_folder() -> Iterator[str]:
    """Give a new folder, and remove those of servers that were killed.

    The server holds a lock in the folder, and its workers inherit it. A folder without a lock is removed.
    """
    _remove_left_folders()
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=_place()) as folder, (Path(folder) / LOCK).open("w") as lock:
        flock(lock, LOCK_EX)
        yield folder


def _place() -> str:
    """Return memory where there is some: workers map the files, and the kernel kills one that counts on a full disk."""
    return MEMORY if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) else tempfile.gettempdir()


def _remove_left_folders() -> None:
    # Former releases used the temporary folder everywhere.
    for place in (MEMORY, tempfile.gettempdir()):
        for lock in Path(place).glob(f"{PREFIX}*/{LOCK}"):
            if _is_left(lock):
                shutil.rmtree(lock.parent, ignore_errors=True)


def _is_left(path: Path) -> bool:
    try:
        with path.open() as lock:
            flock(lock, LOCK_EX | LOCK_NB)
            return os.fstat(lock.fileno()).st_uid == os.geteuid()
    except OSError:
        return False
