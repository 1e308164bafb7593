"""The shift: how far an import moves timestamps. The first run of a file and SHIFT_TO records it for later runs.

It also records it for some rows of the file, so that the same file with more rows, or fewer, is moved by the same and
its events are recognised.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from typing import BinaryIO

from service.imports.errors import NotImportable
from service.imports.formats import Row
from service.imports.rows import decode_element
from service.imports.source import Source
from service.ingest.refusals import EventError
from service.ingest.timestamps import parse_time
from sql.database import Database

NOW = "now"
_CHUNK_BYTES = 1_048_576
# Of a file, the rows with the smallest digests: two files that share a tenth of their rows share six of these.
_SAMPLE = 64


async def shift_of(database: Database, source: Source, shift_to: str, *, record: bool) -> timedelta:
    """Return the shift that moves the newest event of a file to `shift_to`: `now`, or an ISO-8601 time.

    It reuses the shift that an earlier run recorded for the same file and `shift_to`, or for a file that shares rows
    with this one. Concurrent runs agree on one. record: whether to record the shift. Raises NotImportable when the file
    cannot be read to its end, or shares rows with files that were moved by different amounts.
    """
    digest = await _digest_of(source.file)
    of_file = await _recorded(database, [digest], shift_to)
    if of_file is not None:
        return of_file
    newest, sample = await _survey(source)
    if newest is None:
        return timedelta(0)
    shift = await _recorded(database, sample, shift_to)
    if shift is None:
        shift = await _target(database, shift_to) - newest
    if not record:
        return shift
    await database.rows(database.statements.record_shift, sorted({digest, *sample}), shift_to, shift)
    return await _recorded(database, [digest], shift_to) or shift


async def _recorded(database: Database, digests: list[bytes], shift_to: str) -> timedelta | None:
    shifts = [row["shift"] for row in await database.rows(database.statements.read_shift, digests, shift_to)]
    if len(shifts) > 1:
        raise NotImportable(
            f"its rows were imported with SHIFT_TO={shift_to} from several files, which were moved by different times"
            f" ({', '.join(map(str, sorted(shifts)))}); import those files again, each by itself"
        )
    return shifts[0] if shifts else None


async def _digest_of(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        await asyncio.sleep(0)  # lets Ctrl-C through
    return digest.digest()


async def _survey(source: Source) -> tuple[datetime | None, list[bytes]]:
    """Return the newest timestamp of a file, and digests of its first row and of a sample of all rows."""
    newest = None
    first: list[bytes] = []
    sample: list[bytes] = []
    async with aclosing(source.batches("import: looking for the newest timestamp")) as batches:
        async for rows in batches:
            dated = list(_dated(rows))
            newest = max([*filter(None, [newest]), *(moment for _, moment in dated)], default=None)
            digests = [hashlib.sha256(element).digest() for element, _ in dated]
            first = first or digests[:1]
            sample = sorted({*sample, *digests})[:_SAMPLE]
    return newest, [*first, *sample]


def _dated(rows: list[Row]) -> Iterator[tuple[bytes, datetime]]:
    """Give the rows that the import will not reject, with their timestamps."""
    for row in rows:
        with suppress(EventError):
            if isinstance(row.element, bytes):
                yield row.element, decode_element(row.element).timestamp


async def _target(database: Database, shift_to: str) -> datetime:
    if shift_to == NOW:
        now: datetime = (await database.only(database.statements.read_clock))["now"]
        return now
    return parse_time(shift_to)
