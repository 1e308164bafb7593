"""Reads the file of an import in batches of rows, with progress."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from service.console import progress
from service.imports.errors import NotImportable
from service.imports.formats import Row, read_rows
from service.imports.nulls import Nulls

# Small batches, so that decoding one never holds the loop for long. The appender joins batches into commits.
_BATCH_ROWS = 100
_BATCH_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Source:
    """An open file, its name, its form (one of FORMATS), and the cells of CSV that stand for an absent value."""

    file: BinaryIO
    name: str
    form: str
    nulls: Nulls = None

    async def batches(self, doing: str) -> AsyncGenerator[list[Row]]:
        """Give all rows in batches. doing: the progress bar's text. Raises NotImportable, after the rows before."""
        told = 0
        with progress(doing, os.fstat(self.file.fileno()).st_size, "bytes") as meter:
            for batch in _batches(read_rows(self.file, self.form, self.name, self.nulls)):
                yield batch
                position = self.file.tell()
                meter.advance(position - told)
                told = position
                await asyncio.sleep(0)  # lets other tasks run, because reading a file never does


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    try:
        for row in rows:
            batch.append(row)
            size += len(row.text)
            if len(batch) == _BATCH_ROWS or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except NotImportable:
        yield batch
        raise
    yield batch
