"""Reads the rows of a file in any import format, each with its place. It streams the file instead of loading it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from service.imports.errors import NotImportable
from service.imports.json_stream import stream_array
from service.imports.nulls import Nulls, check_nulls
from service.ingest.event import MAX_EVENT_BYTES
from service.ingest.json_elements import BLANKS, Unclosed
from service.ingest.refusals import EXPECTED, REFUSALS, REQUIRED, EventError, shown
from service.ingest.spreadsheets import restored

AUTO, JSON, NDJSON, CSV = FORMATS = ("auto", "json", "ndjson", "csv")

_CHUNK_BYTES = 262_144
# One byte more than an event may have, so that the decoder sees when a row is too long.
_MOST = MAX_EVENT_BYTES + 1
_BOM = b"\xef\xbb\xbf"
_SUFFIXES = {".json": JSON, ".ndjson": NDJSON, ".jsonl": NDJSON}
_STRING_OF_JSON = re.compile(rb'"(?:[ \t\r\n]|\\[nrt])*[\[{]')
# No line of NDJSON ends after its first bracket, and no event has a field `events`.
_NOT_LINES = re.compile(rb'\{[ \t]*[\r\n]|\{[ \t]*"events"[ \t]*:')
# The records of CSV that are looked at before the first is given.
_LOOKED_AT = 1_000
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Row(NamedTuple):
    """One row of a file.

    line: the line on which the row begins, or the number of the element in JSON; from 1.
    text: the text of the row in the file, cut one byte after the limit of an event.
    element: the row as one JSON object, or the error when it cannot become one.
    """

    line: int
    text: bytes
    element: bytes | EventError


def read_rows(file: BinaryIO, form: str, name: str = "", nulls: Nulls = None) -> Iterator[Row]:
    """Give the rows of a file from its beginning. form: one of FORMATS; AUTO looks at the content, then at the name.

    nulls: the cells of CSV that mean an absent value, beside empty ones; None when the user has not said. Raises
    NotImportable, after the rows before, when the file does not have the format or ends too early.
    """
    file.seek(0)
    head = file.read(_CHUNK_BYTES)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotImportable("the file is UTF-16; only UTF-8 can be read")
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    read: dict[str, Callable[[BinaryIO], Iterator[Row]]]
    read = {JSON: _elements, NDJSON: _lines, CSV: partial(_records, nulls=nulls)}
    yield from read[_detect(head.removeprefix(_BOM).lstrip(BLANKS), name) if form == AUTO else form](file)


def _detect(head: bytes, name: str) -> str:
    if head.startswith(b"[") or _STRING_OF_JSON.match(head) or _NOT_LINES.match(head):
        return JSON
    if head.startswith(b"{") or not head:
        return NDJSON
    return _SUFFIXES.get(Path(name).suffix.lower(), CSV)


def _elements(file: BinaryIO) -> Iterator[Row]:
    try:
        for number, element in enumerate(stream_array(iter(lambda: file.read(_CHUNK_BYTES), b""), _MOST), 1):
            yield Row(number, element, element)
    except Unclosed as error:
        raise NotImportable(str(error)) from None


def _lines(file: BinaryIO) -> Iterator[Row]:
    number = 0
    while line := file.readline(_MOST):
        number += 1
        if len(line) == _MOST:
            _skip_line(file, line)
        if text := line.strip(BLANKS):
            yield Row(number, text, text)


def _skip_line(file: BinaryIO | TextIOWrapper, begun: bytes | str) -> None:
    part = begun
    while part and part[-1:] not in (b"\n", "\n"):
        part = file.readline(_CHUNK_BYTES)


def _records(file: BinaryIO, nulls: Nulls) -> Iterator[Row]:
    text = TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        lines = _CsvLines(text)
        records = lines.records()
        columns = _columns(next(records, None))
        numbered = ((lines.first, lines.record, cells) for cells in records)
        begin = list(islice(numbered, _LOOKED_AT))
        if nulls is None:
            check_nulls(columns, [cells for _, _, cells in begin if not isinstance(cells, EventError)])
        for first, record, cells in chain(begin, numbered):
            element = cells if isinstance(cells, EventError) else _object(columns, cells, nulls or frozenset())
            yield Row(first, record.strip("\r\n").encode(errors="surrogateescape"), element)
    finally:
        text.detach()


class _CsvLines:
    """Feeds lines to a CSV reader. It keeps the lines of the current record, and refuses a record that is too long."""

    def __init__(self, file: TextIOWrapper) -> None:
        self.first = 0
        self.record = ""
        self._file = file
        self._number = 0

    def records(self) -> Iterator[list[str] | EventError]:
        """Give the cells of each record, or its error. Skip blank lines."""
        reader = csv.reader(self, strict=True)
        while (cells := self._next(reader)) is not None:
            if cells:
                yield cells

    def _next(self, reader: Iterator[list[str]]) -> list[str] | EventError | None:
        self.first, self.record = self._number + 1, ""
        try:
            return next(reader, None)
        except csv.Error as error:
            return EventError("malformed", f"expected a record of CSV: {error}")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_MOST)
        if not line:
            raise StopIteration
        self._number += 1
        self.record += line
        if len(self.record) >= _MOST:
            _skip_line(self._file, line)
            raise csv.Error(f"longer than {MAX_EVENT_BYTES:,} characters, or a quote is not closed")
        return line


def _columns(header: list[str] | EventError | None) -> list[str]:
    if not isinstance(header, list):
        raise NotImportable(f"no header: {header or 'the file is empty'}")
    columns = [name.strip() for name in header]
    known = f"the columns of CSV are {', '.join(EXPECTED)}"
    for name in columns:
        if name not in EXPECTED:
            raise NotImportable(f"unknown column: {shown(name) or '(empty)'}; {known}")
        if columns.count(name) > 1:
            raise NotImportable(f"the header names the column {name} twice")
    for name in REQUIRED:
        if name not in columns:
            raise NotImportable(f"the column {name} is missing; {known}")
    return columns


def _object(columns: list[str], cells: list[str], nulls: frozenset[str]) -> bytes | EventError:
    if len(cells) != len(columns):
        return EventError("malformed", f"expected {len(columns)} cells as in the header, got {len(cells)}")
    named = zip(columns, cells, strict=True)
    fields: dict[str, object] = {name: restored(cell) for name, cell in named if cell and cell not in nulls}
    if "demo_mode" in fields:
        flag = str(fields["demo_mode"])
        fields["demo_mode"] = _FLAGS.get(flag.lower(), flag)
    try:
        if "properties" in fields:
            fields["properties"] = _raw(str(fields["properties"]))
        return msgspec.json.encode(fields)
    except UnicodeEncodeError:
        return EventError("malformed", "expected CSV in UTF-8")


def _raw(text: str) -> object:
    """Return JSON unchanged, and any other text as a string, which the decoder of events refuses."""
    try:
        return msgspec.json.decode(text.encode(), type=msgspec.Raw)
    except REFUSALS:
        return text
