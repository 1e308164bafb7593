"""Readers for exports of every format; all return the same rows, with values as JSON has them."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from pyarrow import parquet

from service.exports.export import Export, Exports
from service.questions.segments import Segments
from tests.http.support.site import text_of
from tests.support.engines import NO_ARCHIVE, InProcess
from tests.support.log import NOW
from tests.support.retired_days import day
from tests.support.sharded import Sharded

FORMATS = ("csv", "ndjson", "parquet")
# Spreadsheets take cells that begin with these for formulas: https://owasp.org/www-community/attacks/CSV_Injection
SIGNS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
Row = dict[str, Any]


def unprefixed(cell: str) -> str | None:
    """Return a cell's value; exports put an apostrophe before a sign, and before apostrophes that precede a sign."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(SIGNS) else cell or None


def rows_of(form: str, content: bytes) -> list[Row]:
    """Return the rows of an export."""
    return list({"csv": _of_csv, "ndjson": _of_ndjson, "parquet": _of_parquet}[form](content))


def _of_csv(content: bytes) -> Iterator[Row]:
    for record in csv.DictReader(StringIO(content.decode(), newline=""), strict=True):
        row: Row = {name: unprefixed(cell) for name, cell in record.items()}
        if "value" in row:
            row["value"] = int(row["value"])
        if "demo_mode" in row:
            row["demo_mode"] = {"true": True, "false": False}[row["demo_mode"]]
        yield _with_object(row)


def _of_ndjson(content: bytes) -> Iterator[Row]:
    assert content.endswith(b"\n") or not content
    yield from map(json.loads, content.split(b"\n")[:-1])


def _of_parquet(content: bytes) -> Iterator[Row]:
    for row in parquet.read_table(BytesIO(content)).to_pylist():
        told = {name: text_of(value) if isinstance(value, datetime) else value for name, value in row.items()}
        yield _with_object(told)


def _with_object(row: Row) -> Row:
    if (text := row.get("properties")) is not None:
        row["properties"] = json.loads(text)
    return row


WHOLE = {"from": text_of(day(0)), "to": text_of(day(11))}


@asynccontextmanager
async def exports_of(sharded: Sharded, archive: Path = NO_ARCHIVE) -> AsyncIterator[Exports]:
    """Give the exports of a log."""
    segments = Segments(sharded.database, sharded.database)
    exports = Exports(sharded.url, segments, lambda: InProcess(sharded.url, archive), lambda: NOW)
    try:
        yield exports
    finally:
        await exports.close()


@asynccontextmanager
async def begun(exports: Exports, **given: str) -> AsyncIterator[Export]:
    async with exports.begun(await exports.question(WHOLE | given)) as export:
        yield export


async def rest_of(export: Export) -> bytes:
    return b"".join([block.content async for block in export.blocks])
