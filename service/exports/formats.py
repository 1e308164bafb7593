"""The formats of exports. A writer takes rows, gives bytes, and keeps only the state that its format needs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Protocol

import msgspec

from service.errors import NotInstalled
from service.exports.rows import FLAG, JSON, TEXT, TIME, Columns, Row
from service.ingest.spreadsheets import harmless
from service.questions.hours import time_text

CSV, NDJSON, PARQUET = FORMATS = ("csv", "ndjson", "parquet")
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8; header=present",
    NDJSON: "application/x-ndjson",
    PARQUET: "application/vnd.apache.parquet",
}

# The format of a file, by how its name ends.
ENDINGS = {".csv": CSV, ".ndjson": NDJSON, ".jsonl": NDJSON, ".parquet": PARQUET}

Cell = Callable[[Any], Any]


class Writer(Protocol):
    """Writes one export."""

    def begin(self) -> bytes:
        """Return the bytes before all rows."""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Take rows in the order of the columns; return the bytes that are ready now, maybe none."""

    def end(self) -> bytes:
        """Return the remaining bytes."""


class CsvWriter:
    """Writes RFC 4180: a header, CRLF, quotes where needed. No text or JSON cell begins like a formula."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._cells = [_CELLS.get(kind, _unchanged) for kind in columns.values()]

    def begin(self) -> bytes:
        """Return the header."""
        return _records([list(self._columns)])

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return a record for each row."""
        return _records([[cell(value) for cell, value in zip(self._cells, row, strict=True)] for row in rows])

    def end(self) -> bytes:
        """Return nothing."""
        return b""


def _records(records: list[list[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(records)
    return text.getvalue().encode()


def _text_cell(value: str | None) -> str | None:
    return None if value is None else harmless(value)


def _flag_cell(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _time_cell(value: datetime | None) -> str | None:
    return None if value is None else time_text(value)


def _unchanged(value: Any) -> Any:
    return value


_CELLS: dict[str, Cell] = {TEXT: _text_cell, JSON: _text_cell, FLAG: _flag_cell, TIME: _time_cell}


class NdjsonWriter:
    """Writes a JSON object on each line."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        values: dict[str, Cell] = {JSON: _raw, TIME: _time_cell}
        self._values = [values.get(kind, _unchanged) for kind in columns.values()]
        self._encoder = msgspec.json.Encoder()

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return a line for each row."""
        return self._encoder.encode_lines([self._object(row) for row in rows])

    def end(self) -> bytes:
        """Return nothing."""
        return b""

    def _object(self, row: Row) -> dict[str, Any]:
        return {name: told(value) for name, told, value in zip(self._columns, self._values, row, strict=True)}


def _raw(value: str | None) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(value.encode())


def writer(form: str, columns: Columns) -> Writer:
    """Return the writer of a format. Raises NotInstalled. It blocks for a moment when it imports pyarrow."""
    if form == CSV:
        return CsvWriter(columns)
    if form == NDJSON:
        return NdjsonWriter(columns)
    try:
        from service.exports.parquet import ParquetWriter  # noqa: PLC0415  # slow to import, and not installed everywhere
    except ImportError as error:
        message = "Parquet needs pyarrow, which is not installed: .venv/bin/python -m pip install pyarrow"
        raise NotInstalled(message, "format") from error
    return ParquetWriter(columns)
