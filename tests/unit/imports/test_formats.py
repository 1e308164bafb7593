"""Rows of files: the content decides the format, each row has its line, and a refusal is one line."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from service.imports.errors import NotImportable
from service.imports.formats import AUTO, CSV, JSON, NDJSON, Row, read_rows
from service.imports.nulls import parse_nulls
from service.imports.rows import decode_element
from service.ingest.event import MAX_EVENT_BYTES
from service.ingest.refusals import EventError

BOM = b"\xef\xbb\xbf"
ONE = b'{"event_type":"a","session_id":"s","timestamp":"2025-10-18T01:00:00Z","event_id":"1"}'
TWO = ONE.replace(b'"1"', b'"2"')
HEADER = b"event_type,session_id,timestamp,event_id,properties,demo_mode\n"


def rows(content: bytes, form: str = AUTO, name: str = "events") -> list[Row]:
    return list(read_rows(BytesIO(content), form, name))


def refusal(content: bytes, form: str = AUTO, name: str = "events") -> str:
    with pytest.raises(NotImportable) as caught:
        rows(content, form, name)
    return str(caught.value)


ARRAY = b" [" + ONE + b",\n" + TWO + b"] \n"
IN_EVENTS = b'{ "events": ' + ARRAY + b"}"
FILES = {
    "an array": (JSON, ARRAY),
    "an array in an object": (JSON, IN_EVENTS),
    "an array on many lines in an object": (JSON, b'{\r\n  "events"\n:\n' + ARRAY + b"\n}"),
    "an array in a string": (JSON, json.dumps(ARRAY.decode()).encode() + b"\n"),
    "an object in a string": (JSON, b" " + json.dumps(IN_EVENTS.decode()).encode()),
    "lines": (NDJSON, b"\n" + ONE + b"\r\n \n" + TWO),
    "cells": (
        CSV,
        b'"event_type",session_id, timestamp ,id\r\na,s,2025-10-18T01:00:00Z,1\r\n\r\na,s,2025-10-18T01:00:00Z,2\r\n',
    ),
}


@pytest.mark.parametrize("start", [b"", BOM])
@pytest.mark.parametrize(("form", "content"), FILES.values(), ids=FILES.keys())
def test_each_format_is_told_by_its_content(form: str, content: bytes, start: bytes) -> None:
    found = rows(start + content)
    assert found == rows(start + content, form)
    decoded = [decode_element(row.element) for row in found if isinstance(row.element, bytes)]
    assert decoded == [decode_element(ONE), decode_element(TWO)]
    assert [row.line for row in found] == ([2, 4] if form in (NDJSON, CSV) else [1, 2])


def test_the_name_tells_only_what_the_content_does_not() -> None:
    assert rows(ARRAY, name="x.csv") == rows(ARRAY)
    assert rows(ONE, name="x.json") == rows(ONE)
    assert rows(b"broken\n" + ONE, name="x.jsonl") == rows(b"broken\n" + ONE, NDJSON)
    assert refusal(b"null", name="x.json") == 'expected an array of events or {"events": [...]}, got null'
    assert refusal(b"null").startswith("unknown column: null; the columns of CSV are event_type, session_id, timestamp")


def test_nothing_is_no_row() -> None:
    for content in (b"", b"\n \r\n", BOM, b"[]", b'{"events": [ ]}', b'"[]"', HEADER):
        assert rows(content) == []


@pytest.mark.parametrize(
    ("form", "content", "told"),
    [
        (AUTO, "[]".encode("utf-16"), "the file is UTF-16; only UTF-8 can be read"),
        (JSON, b"", 'expected an array of events or {"events": [...]}, got nothing'),
        (AUTO, b"{\n", 'expected an array of events or {"events": [...]}, got {'),
        (AUTO, b'{"events": {}}', 'expected an array of events or {"events": [...]}, got {"events": {}}'),
        (AUTO, b"[1, 2", "the array is not closed after element 1"),
        (AUTO, b"[1] x", "after the array: expected nothing, got x"),
        (AUTO, b'{"events":[1]', "after the array: expected }, got nothing"),
        (AUTO, b'{"events":[1],"x":1}', 'after the array: expected }, got ,"x":1}'),
        (AUTO, b'"[1, 2', "the string that holds the array is not closed, or is not JSON"),
        (AUTO, rb'"[\x]"', "the string that holds the array is not closed, or is not JSON"),
        (AUTO, b'"[1]" 2', "after the string that holds the array: expected nothing, got 2"),
        (CSV, b"", "no header: the file is empty"),
        (CSV, b'"a', "no header: expected a record of CSV: unexpected end of data"),
        (CSV, HEADER.replace(b"event_id", b"timestamp"), "the header names the column timestamp twice"),
        (CSV, HEADER.replace(b"_mode", b"_mode,"), "unknown column: (empty); the columns of CSV are"),
        (CSV, b"event_type,timestamp\n", "the column session_id is missing; the columns of CSV are"),
    ],
)
def test_what_is_no_such_file_is_told(form: str, content: bytes, told: str) -> None:
    assert refusal(content, form).startswith(told)


def test_rows_before_the_break_are_given() -> None:
    found: list[Row] = []
    with pytest.raises(NotImportable):
        found.extend(read_rows(BytesIO(b"[" + ONE + b"," + TWO[:20]), AUTO))
    assert found == [Row(1, ONE, ONE)]


def cells(*values: str) -> object:
    """Return the object that a row of CSV becomes, or the code and field of its error."""
    quoted = ",".join('"' + value.replace('"', '""') + '"' for value in values)
    (row,) = rows(HEADER + quoted.encode(errors="surrogateescape"), CSV)
    try:
        assert isinstance(row.element, bytes)
        decode_element(row.element)
        return json.loads(row.element)
    except EventError as error:
        return error.code, error.field
    except AssertionError:
        assert isinstance(row.element, EventError)
        return row.element.code, row.element.field


GOOD = ("a", "s", "2025-10-18 01:00")


def test_cells_are_fields() -> None:
    required = {"event_type": "a", "session_id": "s", "timestamp": "2025-10-18 01:00"}
    assert cells(*GOOD, "", "", "") == required
    assert cells(*GOOD, "a,\n\"b'", '{"x": [1.50, "é"]}', "") == required | {
        "event_id": "a,\n\"b'", "properties": {"x": [1.5, "é"]},
    }  # fmt: skip
    for text, flag in {"true": True, "FALSE": False, "1": True, "0": False}.items():
        assert cells(*GOOD, "", "null", text) == required | {"properties": None, "demo_mode": flag}


def test_the_apostrophe_of_an_export_is_taken_off() -> None:
    for text in ("-a", "+1", "=x", "@b", "'-a", "''=", "\tx", "＝x"):  # noqa: RUF001  # spreadsheets take it, too
        assert cells(*GOOD, f"'{text}", "", "") == cells(*GOOD, "", "", "") | {"event_id": text}  # type: ignore[operator]
    assert cells(*GOOD, "'tis", "", "") == cells(*GOOD, "", "", "") | {"event_id": "'tis"}  # type: ignore[operator]


def named(users: list[str], nulls: frozenset[str] | None) -> list[str | None]:
    """Return the users of the rows of a CSV file."""
    content = "event_type,session_id,timestamp,user_id\n" + "".join(f"a,s,2025-10-18,{user}\n" for user in users)
    found = read_rows(BytesIO(content.encode()), CSV, nulls=nulls)
    return [json.loads(row.element).get("user_id") for row in found if isinstance(row.element, bytes)]


@pytest.mark.parametrize("word", ["\\N", "NULL", "NA", "None"])
def test_a_column_full_of_a_word_for_nothing_is_asked_about(word: str) -> None:
    users = ["u1", word] * 5
    with pytest.raises(NotImportable) as caught:
        named(users, None)
    assert f"the column user_id holds {word} in 5 of the first 10 rows: NULLS='{word}'" in str(caught.value)
    assert named(users, parse_nulls(f"x,{word}")) == ["u1", None] * 5
    assert named(users, parse_nulls(",")) == users
    few = [word, *"abcdefghijk"]
    assert named(few, None) == few, "someone may be called so"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (GOOD, ("malformed", None)),
        ((*GOOD, "", "", "", ""), ("malformed", None)),
        (("", "s", *GOOD[2:], "", "", ""), ("missing_field", "event_type")),
        ((*GOOD, "", "", "yes"), ("invalid_field", "demo_mode")),
        ((*GOOD, "", "{x: 1}", ""), ("invalid_field", "properties")),
        ((*GOOD, "", '{"x":1},"user_id":"u"', ""), ("invalid_field", "properties")),
        ((*GOOD, "", "[1]", ""), ("invalid_field", "properties")),
        ((*GOOD, "", "[" * 5000, ""), ("invalid_field", "properties")),
        ((*GOOD, "", '{"x": "\\u0000"}', ""), ("invalid_field", "properties")),
        ((*GOOD, "a\0", "", ""), ("invalid_field", "event_id")),
        ((*GOOD, "\udcff", "", ""), ("malformed", None)),
        ((*GOOD, "", '{"x": "\udcff"}', ""), ("malformed", None)),
    ],
)
def test_cells_that_are_no_event_are_refused_alone(values: tuple[str, ...], expected: tuple[str, str | None]) -> None:
    assert cells(*values) == expected


def test_a_broken_record_costs_no_neighbour() -> None:
    fine = b"a,s,2025-10-18,,,\n"
    broken = [
        b'"a"b,s,2025-10-18,,,\n',
        b'a,s,2025-10-18,,"' + b"x" * MAX_EVENT_BYTES + b'",\n',
        b"a," * 99_999 + b"\n",
    ]
    content = HEADER + fine + fine.join(broken) + fine + b'"never closed\n' + fine
    found = rows(content, CSV)
    assert [row.line for row in found] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert [isinstance(row.element, bytes) for row in found] == [True, False, True, False, True, False, True, False]
    assert found[-1].text == b'"never closed\n' + fine.strip()


@pytest.mark.parametrize(
    "content", [b"[%b,%b,%b]", b"%b\n%b\n%b", b'{"events":[%b,%b,%b]}'], ids=["array", "lines", "in events"]
)
def test_a_row_that_is_too_long_is_cut_and_costs_no_neighbour(content: bytes) -> None:
    long = b'{"event_type":"' + b"[,{" * 1_000_000 + b'"}'
    found = [row.element for row in rows(content % (ONE, long, TWO))]
    assert found == [ONE, long[: MAX_EVENT_BYTES + 1], TWO]
    assert isinstance(found[1], bytes)
    with pytest.raises(EventError, match="the row has more than 65,536 bytes"):
        decode_element(found[1])
