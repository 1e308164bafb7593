"""Files of the archive that are what their names promise: the SHA-256 of their content.

A file is read whole once, and again when its size, a time of it or its inode has changed. A check that was stopped goes
on where it ended, so that a large file on a slow disk is known after a few questions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import NamedTuple

from sql.archive.files import digest_of, place_of

CHUNK_BYTES = 1024 * 1024


class Identity(NamedTuple):
    """What changes with a file, as far as the file system tells."""

    size: int
    modified: int
    changed: int
    inode: int
    device: int


@dataclass(slots=True)
class Begun:
    """A check under way, or stopped: what was read of a file."""

    identity: Identity
    digest: hashlib._Hash
    size: int = 0


class Stopped(Exception):
    """The check was told to stop."""


class CheckedFiles:
    """Remembers which files were right. stopped: set by another thread to end a check under way."""

    def __init__(self, archive: Path, stopped: Event) -> None:
        self._stopped = stopped
        self._archive = archive
        self._known: dict[str, tuple[Identity, bool]] = {}
        self._begun: dict[str, Begun] = {}

    def place(self, file: str) -> Path:
        """Return where a file is. Raises ValueError for a name that no file of the archive has."""
        return place_of(self._archive, file)

    def changed(self, files: Iterable[str]) -> bool:
        """Tell whether any of the files is not, or no longer, known as right."""
        return any(self._known.get(file) != (self._identity(file), True) for file in files)

    def wrong(self, files: Iterable[str]) -> set[str]:
        """Return the files that are missing, cannot be read, or have other content. Raises Stopped."""
        return {file for file in files if not self._is_right(file)}

    def forget(self, files: Iterable[str]) -> None:
        """Check files again, even if they have not changed."""
        for file in files:
            self._known.pop(file, None)
            self._begun.pop(file, None)

    def _is_right(self, file: str) -> bool:
        identity = self._identity(file)
        if identity is None:
            return False
        known = self._known.get(file)
        if known is None or known[0] != identity:
            self._known[file] = known = (identity, self._has_digest(file, identity))
        return known[1]

    def _identity(self, file: str) -> Identity | None:
        try:
            found = self.place(file).stat()
        except (OSError, ValueError):
            return None
        return Identity(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)

    def _has_digest(self, file: str, identity: Identity) -> bool:
        begun = self._begun.get(file)
        if begun is None or begun.identity != identity:
            self._begun[file] = begun = Begun(identity, hashlib.sha256())
        try:
            self._read_rest(file, begun)
        except OSError:
            return False
        del self._begun[file]
        return begun.digest.hexdigest() == digest_of(file)

    def _read_rest(self, file: str, begun: Begun) -> None:
        with self.place(file).open("rb", buffering=0) as content:
            content.seek(begun.size)
            while chunk := content.read(CHUNK_BYTES):
                if self._stopped.is_set():
                    raise Stopped
                begun.digest.update(chunk)
                begun.size += len(chunk)
