"""Writes that survive a loss of power, and files that only their owner can read."""

import os
import tempfile
from pathlib import Path


def sync(path: Path) -> None:
    """Force a file, or a folder's list of names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Put a file in place of another at once: a reader, or a loss of power, finds the old content or the new."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(0o644)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync(path.parent)


def private(path: str, flags: int) -> int:
    """Open a file for its owner alone: an opener for `open`. A file that exists keeps its mode."""
    return os.open(path, flags, 0o600)
