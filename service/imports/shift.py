"""The shift: how far an import moves timestamps. The first run of a file and SHIFT_TO records it for later runs."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from typing import BinaryIO

from service.imports.formats import Row
from service.imports.rows import decode_element
from service.imports.source import Source
from service.ingest.refusals import EventError
from service.ingest.timestamps import parse_time
from sql.database import Database

NOW = "now"
_CHUNK_BYTES = 1_048_576


async def shift_of(database: Database, source: Source, shift_to: str, *, record: bool) -> timedelta:
    """Return the shift that moves the newest event of a file to `shift_to`: `now`, or an ISO-8601 time.

    It reuses the shift that an earlier run recorded for the same file and `shift_to`. Concurrent runs agree on one.
    record: whether to record the shift. Raises NotImportable when the file cannot be read to its end.
    """
    digest = await _digest_of(source.file)
    recorded = await database.rows(database.statements.read_shift, digest, shift_to)
    if not recorded:
        newest = await _newest_of(source)
        if newest is None:
            return timedelta(0)
        shift = await _target(database, shift_to) - newest
        if not record:
            return shift
        await database.rows(database.statements.record_shift, digest, shift_to, shift)
        recorded = await database.rows(database.statements.read_shift, digest, shift_to)
    found: timedelta = recorded[0]["shift"]
    return found


async def _digest_of(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        await asyncio.sleep(0)  # lets Ctrl-C through
    return digest.digest()


async def _newest_of(source: Source) -> datetime | None:
    newest = None
    async with aclosing(source.batches("import: looking for the newest timestamp")) as batches:
        async for rows in batches:
            newest = max(filter(None, [newest, *map(_timestamp_of, rows)]), default=None)
    return newest


def _timestamp_of(row: Row) -> datetime | None:
    """Return the timestamp of a row, or None for a row that the import will reject."""
    with suppress(EventError):
        if isinstance(row.element, bytes):
            return decode_element(row.element).timestamp
    return None


async def _target(database: Database, shift_to: str) -> datetime:
    if shift_to == NOW:
        now: datetime = (await database.only(database.statements.read_clock))["now"]
        return now
    return parse_time(shift_to)
