"""Rows become a table piece by piece, as they are; only those that a question needs are copied."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio

from service.archive import row_table
from service.archive.checks import Check
from service.archive.duck_thread import DuckThread
from service.archive.parts import read_events
from service.archive.questions import Funnel, Properties, Question, Step, Trend
from service.archive.row_table import RowTable, Write
from service.archive.snapshot import Gap, Selection, rows_query
from service.ingest.event import Event
from sql.archive.files import ROW_COLUMNS
from sql.archive.rows import TooManyRows
from sql.database import Database
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR, start_of

DAY = start_of(NOW, timedelta(days=1)) - timedelta(days=2)
GAP = Gap(0, DAY, DAY + 24 * HOUR)
COLUMNS = ("event_id", "session_id", "properties")
HARD = ["\n", '"\n"', "\ufeff", "a,b\r\n", "é", "", "x" * 5_000]


@pytest_asyncio.fixture
async def thread(tmp_path: Path) -> AsyncIterator[DuckThread]:
    thread = DuckThread(tmp_path)
    yield thread
    thread.close()


async def copied(database: Database, selection: Selection, write: Write) -> None:
    query, given = rows_query([GAP], selection)
    async with database.snapshot() as session:
        await session.copy_out(write, query, *given)


def found(thread: DuckThread, table: RowTable, *columns: str) -> list[Any]:
    return sorted(table.events().select(*columns).fetchall())


def left(folder: Path) -> list[Path]:
    return list(folder.glob("*.csv"))


@pytest.mark.parametrize("size", [1, 300, 1_000_000])
async def test_pieces_hold_all_rows_as_they_are(
    database: Database, thread: DuckThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(row_table, "PIECE_BYTES", size)
    texts = [json.dumps({"text": text}, ensure_ascii=False) for text in HARD] + [None]
    events = [
        an_event(number, at=DAY + number * timedelta(seconds=1), session=f"s{HARD[number % 7]}", properties=text)
        for number, text in enumerate(texts * 40)
    ]
    await append(database, events)
    table = RowTable(thread, tmp_path, COLUMNS)
    assert await table.fill(partial(copied, database, Selection(COLUMNS)))
    assert found(thread, table, *COLUMNS) == sorted(
        (event.event_id, event.session_id, event.properties) for event in events
    )
    assert found(thread, table, "tool_name") == [(None,)] * len(events)
    table.drop()
    assert thread.connection.sql("show tables").fetchall() == []
    assert left(tmp_path) == []


async def test_no_rows_are_an_empty_table(database: Database, thread: DuckThread, tmp_path: Path) -> None:
    table = RowTable(thread, tmp_path, COLUMNS)
    assert not await table.fill(partial(copied, database, Selection(COLUMNS)))
    assert found(thread, table, *COLUMNS) == []


async def lines(write: Write) -> None:
    """Write rows one after the other."""
    await write((",".join(ROW_COLUMNS) + "\n").encode())
    for number in range(100):
        event = ",".join({"shard": "0", "event_id": f"evt_{number}"}.get(name, "") for name in ROW_COLUMNS)
        await write(f"{event}\n".encode())


async def test_too_many_rows_and_faults_of_duckdb_end_the_copy(
    thread: DuckThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_table, "PIECE_BYTES", 1)
    with pytest.raises(TooManyRows):
        await RowTable(thread, tmp_path, COLUMNS).fill(lines, most=1_000)

    def fails(connection: duckdb.DuckDBPyConnection, rows: Path, *, header: bool) -> duckdb.DuckDBPyRelation:
        if "50" in rows.name:
            raise duckdb.OutOfMemoryException("no memory")
        return read_events(connection, rows, header=header)

    with monkeypatch.context() as patched:
        patched.setattr(row_table, "read_events", fails)
        with pytest.raises(duckdb.OutOfMemoryException):
            await RowTable(thread, tmp_path, COLUMNS).fill(lines)
    table = RowTable(thread, tmp_path, COLUMNS)
    assert await table.fill(lines)
    assert len(found(thread, table, "event_id")) == 100
    assert left(tmp_path) == []


async def test_a_copy_can_be_cancelled(thread: DuckThread, tmp_path: Path) -> None:
    async def endless(write: Write) -> None:
        await lines(write)
        await asyncio.Event().wait()

    filling = asyncio.create_task(RowTable(thread, tmp_path, COLUMNS).fill(endless))
    await asyncio.wait({filling}, timeout=0.2)
    filling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await filling
    assert left(tmp_path) == []


def at(number: int, properties: Any = None, **given: Any) -> Event:
    text = None if properties is None else json.dumps(properties)
    return an_event(number, at=DAY + number * timedelta(seconds=1), properties=text, **given)


EVENTS = [
    at(0),
    at(1, {"a": "x", "b": 1}),
    at(2, {"a": ["y", "x"], "b": 1}),
    at(3, {"a": [["x"]]}, tool="Search"),
    at(4, {"a": {"x": "x"}}),
    at(5, {"b": "x"}, tool=None),
    at(6, {"a": 'q"\u2028\\', 'n"': {"m.n": ["x"]}}),
]
A_IS_X = Check(("properties", "a"), "=", ("x",))
TREND = partial(Trend, bounds=[DAY, DAY + HOUR])
FUNNEL = partial(
    Funnel, since=DAY, until=DAY + HOUR, by_user=False, window_minutes=1, most_keys=1, most_ids=1,
    steps=tuple(Step((Check(("tool_name",), "=", (tool,)),)) for tool in ("Search", "Other")),
)  # fmt: skip
NAMES = partial(Properties, since=DAY, until=DAY + HOUR, most_depth=3, most_properties=9, most_values=9)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (TREND(checks=(A_IS_X,)), [1, 2]),
        (TREND(checks=(Check(("properties", "a"), "=", ("z", 'q"\u2028\\')),)), [6]),
        (TREND(checks=(Check(("properties", "a"), "=", ("x",), ("1",)),)), range(7)),
        (TREND(checks=(Check(("properties", "a"), "!=", ("x",)),)), range(7)),
        (TREND(checks=(Check(("properties", 'n"', "m.n"), "=", ("x",)),)), [6]),
        (TREND(checks=(Check(("properties", "a"), "=", ("\0",)),)), range(7)),
        (TREND(checks=(Check(("tool_name",), "=", ("Search", "Other")),)), [3]),
        (TREND(checks=(Check(("tool_name",), "=", ("Home",)), A_IS_X)), [1, 2]),
        (FUNNEL(strict=False), [3]),
        (FUNNEL(strict=True), range(7)),
    ],
)
async def test_only_events_that_may_count_are_copied(
    database: Database, thread: DuckThread, tmp_path: Path, question: Question, expected: list[int]
) -> None:
    await append(database, EVENTS)
    selection = Selection({"event_id"}, question.texts(), question.property_names())
    table = RowTable(thread, tmp_path, selection.columns)
    await table.fill(partial(copied, database, selection))
    assert found(thread, table, "event_id") == [(f"evt_{number}",) for number in expected]


@pytest.mark.parametrize(
    ("question", "name"), [(NAMES(wanted=("a",)), "a"), (NAMES(wanted=('n"', "m.n")), 'n"'), (NAMES(wanted=None), None)]
)
async def test_properties_have_only_the_name_that_is_looked_at(
    database: Database, thread: DuckThread, tmp_path: Path, question: Question, name: str | None
) -> None:
    await append(database, EVENTS)
    table = RowTable(thread, tmp_path, question.needs())
    selection = Selection(question.needs(), question.texts(), question.property_names())
    await table.fill(partial(copied, database, selection))
    stored = [json.loads(event.properties) if event.properties else None for event in EVENTS]
    if name is not None:
        stored = [{name: one[name]} if one and name in one else None for one in stored]
    texts = [text for _, text in found(thread, table, "timestamp", "properties")]
    assert [None if text is None else json.loads(text) for text in texts] == stored
    # As PostgreSQL writes them.
    assert all(text is None or text == json.dumps(json.loads(text), ensure_ascii=False) for text in texts)
