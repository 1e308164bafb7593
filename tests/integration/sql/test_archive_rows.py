"""Rows of PostgreSQL reach DuckDB as they are."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from sql.archive.duck import connect
from sql.archive.rows import LONGEST_LINE, copy_rows, read_rows
from sql.database import Database

MEGABYTE = 1024 * 1024
HARD = [
    None,
    "",
    " ",
    '"',
    '""',
    '"",',
    ",",
    "\n",
    "\r",
    "\r\n",
    "a\nb\r\nc\rd",
    '\n"\n',
    "\\.",
    "\\.\n\\.",
    "\\N",
    "\\",
    "NULL",
    "null",
    "t",
    "\t",
    "'",
    "--",
    "\x01\x0b\x1f\x7f",
    "é",
    "\u2028\u2029",
    "😀",
    "\ufeff",
    "\U0010ffff",
    "x" * (5 * MEGABYTE),
    '"\n' * MEGABYTE,
    "é," * MEGABYTE,
]
TEXTS = """
-- $1 texts
select t.place, t.text, t.text as again from unnest($1::text[]) with ordinality as t (text, place) order by t.place
"""
VALUES = """
select v.* from (values
    (1, 9223372036854775807, true, timestamptz '2026-02-28 23:59:59.999999+00'),
    (-1, -9223372036854775808, false, timestamptz '1999-12-31 00:00:00+14'),
    (null, null, null, null)
) as v
"""


@pytest.fixture
def duck(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """Give a database of DuckDB with the least memory that an archive is written with."""
    return connect(tmp_path, "256MB", 1)


async def test_hard_texts(database: Database, duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "rows [1].csv"
    async with database.snapshot() as session:
        size = await copy_rows(session, file, TEXTS, HARD)
    assert size == file.stat().st_size
    found = read_rows(duck, file, {"place": "BIGINT", "text": "VARCHAR", "again": "VARCHAR"}).fetchall()
    assert found == [(place, text, text) for place, text in enumerate(HARD, start=1)]


async def test_each_text_alone(database: Database, duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """At the beginning of a file, and as a row's only column, some texts mean something else."""
    file = tmp_path / "rows.csv"
    for text in HARD[1:]:
        async with database.snapshot() as session:
            await copy_rows(session, file, "select $1::text", text)
        assert read_rows(duck, file, {"text": "VARCHAR"}).fetchall() == [(text,)]


async def test_values(database: Database, duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    types = {"a": "INTEGER", "b": "BIGINT", "c": "BOOLEAN", "d": "TIMESTAMP WITH TIME ZONE"}
    async with database.snapshot() as session:
        await copy_rows(session, tmp_path / "rows.csv", VALUES)
    rows = read_rows(duck, tmp_path / "rows.csv", types)
    assert rows.columns == list(types)
    assert list(map(str, rows.types)) == list(types.values())
    assert rows.project("a, b, c, epoch_us(d)").fetchall() == [
        (1, 2**63 - 1, True, _microseconds(datetime(2026, 2, 28, 23, 59, 59, 999999, UTC))),
        (-1, -(2**63), False, _microseconds(datetime(1999, 12, 30, 10, tzinfo=UTC))),
        (None, None, None, None),
    ]


async def test_no_rows(database: Database, duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    async with database.snapshot() as session:
        await copy_rows(session, tmp_path / "rows.csv", f"{VALUES} where false")
    types = {"a": "INTEGER", "b": "BIGINT", "c": "BOOLEAN", "d": "VARCHAR"}
    assert read_rows(duck, tmp_path / "rows.csv", types).fetchall() == []


async def test_a_line_that_is_too_long(database: Database, duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    async with database.snapshot() as session:
        await copy_rows(session, tmp_path / "rows.csv", "select repeat('x', $1::integer)", LONGEST_LINE + 1)
    with pytest.raises(duckdb.Error, match="Maximum line size"):
        read_rows(duck, tmp_path / "rows.csv", {"text": "VARCHAR"}).fetchall()


async def test_arguments_cannot_leave_the_header(database: Database, tmp_path: Path) -> None:
    """The driver writes arguments into the text, where a line break would end a comment."""
    async with database.snapshot() as session:
        await copy_rows(session, tmp_path / "rows.csv", "-- $1 a text\nselect $1::text", "\nselect 'other'; --")
    assert (tmp_path / "rows.csv").read_text() == "text\n\"\nselect 'other'; --\"\n"


async def test_a_full_disk_breaks_no_connection(database: Database) -> None:
    async def write(_: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with database.snapshot() as session:
        with pytest.raises(OSError, match="No space left") as caught:
            await session.copy_out(write, "select repeat('x', 1000) from generate_series(1, 100000)")
        assert caught.value.errno == errno.ENOSPC
    assert (await database.only("select 1 as one"))["one"] == 1


def test_bounds_cannot_be_lifted(duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        duck.execute("set threads = 8")
    with pytest.raises(duckdb.Error):
        duck.execute("install httpfs")
    settings = "select current_setting('temp_directory'), current_setting('TimeZone'), current_setting('threads')"
    assert duck.execute(settings).fetchone() == (str(tmp_path / "temporary"), "UTC", 1)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
