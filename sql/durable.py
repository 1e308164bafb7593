"""Writes that survive a loss of power, and files that only their owner can read."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Force a file, or a folder's list of names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private(path: str, flags: int) -> int:
    """Open a file for its owner alone: an opener for `open`. A file that exists keeps its mode."""
    return os.open(path, flags, 0o600)
