"""Rows that are older than the log takes. They wait on disk, a file for each UTC day, until their day is opened."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from service.imports.formats import Row
from service.ingest.event import Event

# Rows are kept in memory up to this size, so that a file in any order opens each day's file only now and then.
_MOST_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct("<I")


class _Waiting(msgspec.Struct, array_like=True):
    line: int
    text: bytes
    event: Event


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Waiting)


class WaitingRows:
    """Holds rows by day, each day's in the order of the file. Its methods raise OSError when the disk is full.

    counts: the number of rows of each day.
    """

    def __init__(self) -> None:
        self.counts: Counter[date] = Counter()
        # Only its owner can open the folder, because rows hold the ids of people.
        self._folder = TemporaryDirectory(prefix="hourledger-history-")
        self._buffers: dict[date, list[bytes]] = {}
        self._bytes = 0

    def close(self) -> None:
        """Drop the rows."""
        self._folder.cleanup()

    def add(self, row: Row, event: Event) -> None:
        """Add a row, with its event."""
        day = day_of(event)
        waiting = _encoder.encode(_Waiting(row.line, row.text, event))
        self._buffers.setdefault(day, []).append(_LENGTH.pack(len(waiting)) + waiting)
        self.counts[day] += 1
        self._bytes += len(waiting)
        if self._bytes > _MOST_BYTES:
            self._flush()

    def rows(self, day: date) -> Iterator[tuple[Row, Event]]:
        """Give the rows of a day."""
        self._flush()
        with self._file(day).open("rb") as file:
            while length := file.read(_LENGTH.size):
                waiting = _decoder.decode(file.read(*_LENGTH.unpack(length)))
                yield Row(waiting.line, waiting.text, waiting.text), waiting.event

    def batches(self, day: date, size: int) -> Iterator[list[tuple[Row, Event]]]:
        """Give the rows of a day, at most `size` at a time."""
        waiting = self.rows(day)
        while batch := list(islice(waiting, size)):
            yield batch

    def _flush(self) -> None:
        for day, rows in self._buffers.items():
            with self._file(day).open("ab") as file:
                file.writelines(rows)
        self._buffers, self._bytes = {}, 0

    def _file(self, day: date) -> Path:
        return Path(self._folder.name, day.isoformat())


def day_of(event: Event) -> date:
    """Return the UTC day of an event."""
    return event.timestamp.astimezone(UTC).date()
