"""How often something was met, for any number of things: counted in a temporary file, not in memory.

A hash table with open addressing, doubled when two thirds are taken: 24 to 48 bytes of disk for each thing.
"""

from __future__ import annotations

import os
import tempfile
from typing import BinaryIO

_DIGEST = 12
_SLOT = 16
_CHUNK_BYTES = 1_048_576
_FREE = bytes(_SLOT)


class Occurrences:
    """Counts things by their digests, of which 12 bytes tell them apart; at most 4,294,967,295 times each."""

    def __init__(self, slots: int = 1_048_576) -> None:
        self._slots = slots
        self._taken = 0
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._file.truncate(slots * _SLOT)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def met(self, digest: bytes) -> int:
        """Return how often a thing was added."""
        return self._find(digest)[1]

    def add(self, digest: bytes) -> int:
        """Count a thing once more; return how often it was added, this time included."""
        place, count = self._find(digest)
        self._put(place, digest[:_DIGEST], count + 1)
        if not count:
            self._taken += 1
            if 3 * self._taken > 2 * self._slots:
                self._grow()
        return count + 1

    def _find(self, digest: bytes) -> tuple[int, int]:
        place = int.from_bytes(digest[:8], "big") % self._slots
        while (slot := os.pread(self._file.fileno(), _SLOT, place * _SLOT)) != _FREE:
            if slot[:_DIGEST] == digest[:_DIGEST]:
                return place, int.from_bytes(slot[_DIGEST:], "big")
            place = (place + 1) % self._slots
        return place, 0

    def _put(self, place: int, digest: bytes, count: int) -> None:
        os.pwrite(self._file.fileno(), digest + count.to_bytes(_SLOT - _DIGEST, "big"), place * _SLOT)

    def _grow(self) -> None:
        with self._file as smaller:
            larger = Occurrences(2 * self._slots)
            while chunk := smaller.read(_CHUNK_BYTES):
                for at in range(0, len(chunk), _SLOT):
                    if (slot := chunk[at : at + _SLOT]) != _FREE:
                        larger._put(larger._find(slot)[0], slot[:_DIGEST], int.from_bytes(slot[_DIGEST:], "big"))
        self._slots, self._file = larger._slots, larger._file
