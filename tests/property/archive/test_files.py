"""Whatever is stored comes back from a file as it was, and the digest recomputed from the file is PostgreSQL's."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from projections.archive.catalog import CurrentFile
from projections.archive.making import make_day, make_from_rows
from projections.archive.numbers import Numbers, count_file
from service.ingest.event import Event
from sql.archive.duck import connect
from sql.archive.files import COLUMNS, PropertyColumn, file_name
from sql.archive.rows import copy_rows
from sql.database import Database
from tests.support.archive import events_in_log, rows_of
from tests.support.log import append
from tests.support.oracle import HOUR
from tests.support.projection import START
from tests.support.sent_events import examples

STORED = ", ".join(list(COLUMNS)[:12])
APPENDED = "select a.* from appended(0, $1) as a"
EMPTY = """
set session_replication_role = replica; delete from events; delete from receipts; delete from hour_ledger
"""
# PostgreSQL stores no NUL, and UTF-8 no surrogate.
characters = st.characters(codec="utf-8", exclude_characters="\0")
hard = st.sampled_from(
    [*'"\\/\b\f\n\r\t\v\x01\x0b\x0e\x1a\x1f\x7f\x80\u2028\ufeff😀,', "\\u000B", "\\.", "null", "\r\n"]
)
texts = st.text(characters, max_size=6) | st.lists(hard, max_size=4).map("".join)
names = (
    st.sampled_from(["plan", "Plan", "n", "", "a.b", "a/b", "~", '"', "$", "0", "é", "__proto__", "properties.n"])
    | texts
)
numbers = (
    st.integers(-(10**16), 10**16)
    | st.sampled_from([0, 1, 999_999_999_999_999, 10**15, -(10**15), 2**53 + 1, 10**30])
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**14), max_value=10**14)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
# Few names, each with a kind that most of its values have, so that columns come about and just do not.
frequent = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["free", "pro", ""]),
        "n": st.integers(-5, 10**15 - 1) | st.integers(0, 3),
        "price": st.sampled_from([Decimal("1.5"), Decimal("1.50"), 1, Decimal("0.1"), Decimal("-12345678901234.5")]),
        "on": st.booleans(),
        "mixed": st.sampled_from(["1", 1, None]),
    },
)
properties = st.none() | frequent | st.dictionaries(names, values, max_size=4)
optional = st.none() | texts.filter(bool)


@st.composite
def stored_events(draw: st.DrawFn) -> list[Event]:
    """Return events of the hour START, whose ids differ."""
    moments = st.integers(0, 3_599_999_999).map(lambda microseconds: START + timedelta(microseconds=microseconds))
    required = texts.filter(bool)
    events = st.builds(
        Event, required, required, optional, required, optional, optional, properties.map(_json), st.booleans(), moments
    )
    return draw(st.lists(events, min_size=1, max_size=30, unique_by=lambda event: event.event_id))


def _json(value: Any) -> str | None:
    """Return JSON text; a Decimal is written with all its digits."""
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_text(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case Decimal():
            return f"{value:f}"
    return json.dumps(value)


class Number(str):
    """The text of a number."""

    __slots__ = ()

    @property
    def digits(self) -> str:
        return self.lstrip("-")


def parsed(text: str | None) -> dict[str, Any]:
    """Return properties with the texts of their numbers."""
    found: dict[str, Any] = json.loads(text or "{}", parse_int=Number, parse_float=Number)
    return found


def kind_of(values: Sequence[Any]) -> str | None:
    """Return the kind of column that a property with these values gets, by the rule."""
    if all(isinstance(value, bool) for value in values):
        return "flag"
    if all(isinstance(value, Number) for value in values):
        if any(len(value.digits) > 15 for value in values):
            return None
        return "whole" if all(value.digits.isdecimal() for value in values) else "number"
    return "string" if all(type(value) is str for value in values) else None


def check_columns(archive: Path, file: str, columns: Sequence[PropertyColumn]) -> None:
    """Check that each column has the values of its property, and that every property that should have one has one."""
    texts = [parsed(text) for (text,) in rows_of(archive, file, "properties")]
    present = Counter(name for each in texts for name in each)
    for column in columns:
        (name,) = column.path
        assert column.column == f"properties.{name}"
        values = [each.get(name) for each in texts]
        quoted = column.column.replace('"', '""')
        for (found,), value in zip(rows_of(archive, file, f'"{quoted}"'), values, strict=True):
            assert found == (float(value) if isinstance(value, Number) and column.kind == "number" else as_is(value))
        assert column.kind == kind_of([each[name] for each in texts if name in each]) or column.kind == "number"
    chosen = {column.path[0] for column in columns}
    alike = Counter(name.casefold() for name in present)
    assert len({name.casefold() for name in chosen}) == len(chosen)
    if len(present) <= 32:
        for name in present:
            expected = kind_of([each[name] for each in texts if name in each])
            assert expected is None or alike[name.casefold()] > 1 or name in chosen, (name, expected)


def check_hour_columns(archive: Path, file: str, columns: Sequence[PropertyColumn]) -> None:
    """Check columns that were chosen by the texts: of names that differ only in case none has one."""
    check_columns(archive, file, columns)
    names = {name for (text,) in rows_of(archive, file, "properties") for name in parsed(text)}
    alike = Counter(name.casefold() for name in names)
    assert [column for column in columns if alike[column.path[0].casefold()] > 1] == []


def as_is(value: Any) -> Any:
    return int(value) if isinstance(value, Number) else value


async def check(admin: asyncpg.Connection, archive: Path, file: str, wanted: Sequence[datetime]) -> None:
    """Check that a file holds the events of these hours as PostgreSQL has them, in order, and what is derived."""
    inside = [row for row in await events_in_log(admin) if any(hour <= row[10] < hour + HOUR for hour in wanted)]
    assert rows_of(archive, file, STORED) == inside
    for text, long_numbers, session_id, session in rows_of(
        archive, file, "properties, long_numbers, session_id, session"
    ):
        assert long_numbers == bool(re.search("[0-9.]{16,}", text or "", re.ASCII))
        assert session.hex == hashlib.sha256(session_id.encode()).hexdigest()[:32]


@given(stored_events(), stored_events(), st.sampled_from([9, 10_000]))
@examples(40)
async def test_any_events_come_back_from_files(
    database: Database, database_url: str, first: list[Event], second: list[Event], slice_of: int
) -> None:
    moved = [each._replace(timestamp=each.timestamp + HOUR) for each in second]
    wanted = {START: first, START + HOUR: moved}
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder)
        admin = await asyncpg.connect(database_url)
        try:
            await admin.execute(EMPTY)
            files = []
            for hour, events in wanted.items():
                assert await append(database, events) == {}
                files.append(await _hour_file(database, admin, archive, hour, slice_of))
            with closing(connect(archive, "256MB", 1)) as duck:
                columns, number, _ = make_day(duck, archive, files, archive / "day.parquet", slice_of=slice_of)
                assert number == len(first) + len(second)
                assert count_file(duck, archive / "day.parquet") == {
                    (0, hour): numbers for file in files for hour, numbers in file.hours.items()
                }
            await check(admin, archive, "day.parquet", list(wanted))
            check_columns(archive, "day.parquet", columns)
        finally:
            await admin.close()


async def _hour_file(
    database: Database, admin: asyncpg.Connection, archive: Path, hour: datetime, slice_of: int
) -> CurrentFile:
    """Write the file of an hour, and check it."""
    name = file_name(0, hour, day=False, digest="0" * 64)
    (archive / name).parent.mkdir(parents=True, exist_ok=True)
    async with database.transaction() as session:
        await copy_rows(session, archive / "rows.csv", database.statements.copy_span, 0, hour, hour + HOUR)
    with closing(connect(archive, "256MB", 1)) as duck:
        columns, _, long_numbers = make_from_rows(duck, archive / "rows.csv", archive / name, slice_of=slice_of)
        numbers = count_file(duck, archive / name)
    expected = Numbers(*map(int, await admin.fetchrow(APPENDED, hour) or ()))
    assert numbers == {(0, hour): expected}
    assert long_numbers == sum(row[0] for row in rows_of(archive, name, "long_numbers"))
    await check(admin, archive, name, [hour])
    check_hour_columns(archive, name, columns)
    return CurrentFile(name, columns, {hour: expected})
