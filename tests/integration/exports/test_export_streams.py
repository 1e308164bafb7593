"""How exports are written: for clients that stop reading, without Parquet, and of large rows."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

import sql.database
from service.errors import ServiceError
from service.exports import rows as export_rows
from service.http.answers import status_of
from service.http.download import Download
from sql.database import Database
from tests.support.exports import begun, exports_of, rest_of, rows_of
from tests.support.log import NOW, an_event
from tests.support.oracle import HOUR
from tests.support.retired_days import append_all, day
from tests.support.sharded import Sharded

# Unlike the rest of its folder, this module tests transactions and cursors, so it runs on every version.
pytestmark = pytest.mark.versions("every")


async def connected() -> Any:
    """Receive nothing, because the client stays connected."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("after", [0, 1, 3])
async def test_a_client_that_takes_nothing_is_given_up(
    database: Database,
    database_url: str,
    after: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sql.database, "CHUNK_ROWS", 3)
    sharded = Sharded(database_url, 1, database, None)  # type: ignore[arg-type]
    await append_all(sharded, [an_event(number) for number in range(20)], clock=NOW)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        if len(sent) == after:
            await asyncio.Event().wait()
        sent.append(message)

    async with exports_of(sharded) as exports:
        await Download(exports, {}, stall_seconds=0.02)({}, connected, send)  # type: ignore[arg-type]
        assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 3][:after]
        assert all(message.get("more_body", True) for message in sent)
        assert (
            await database.rows(
                "select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"
            )
            == []
        )
        async with exports.begun(await exports.question({"format": "ndjson"})) as export:
            assert len(rows_of("ndjson", await rest_of(export))) == 20


async def test_properties_are_not_written_anew_where_others_are_answered(
    old: Sharded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rewriting takes minutes when each event has thousands of numbers with 301 digits, so a thread does it."""
    threads = set()

    def sendable(text: str) -> str:
        threads.add(threading.get_ident())
        return text

    monkeypatch.setattr(export_rows, "sendable", sendable)
    event = an_event(9_000, at=day(9) + HOUR, properties='{"a": 1}')
    await append_all(old, [event], clock=day(10))
    async with exports_of(old) as exports, begun(exports, format="csv") as export:
        await rest_of(export)
    assert threads
    assert threading.get_ident() not in threads


async def test_parquet_needs_its_extra(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "service.exports.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    async with exports_of(Sharded(database_url, 1, database, None)) as exports:  # type: ignore[arg-type]
        with pytest.raises(ServiceError, match=r": \.venv/bin/python -m pip install pyarrow$") as refused:
            async with exports.begun(await exports.question({"format": "parquet"})):
                pytest.fail("a Parquet export began without pyarrow")
        assert (status_of(refused.value).number, refused.value.code, refused.value.field) == (
            501,
            "not_installed",
            "format",
        )
        async with exports.begun(await exports.question({"format": "csv"})) as export:
            assert await rest_of(export)


async def test_large_rows_are_read_few_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql.database, "CHUNK_CHARACTERS", 1_000)
    query = "select repeat('a', case when n <= 300 then 1 else 200 end) as text from generate_series(1, 700) as n"
    async with database.transaction() as session:
        chunks = [[row["text"] for row in rows] async for rows in session.chunks(query)]
    assert [len(chunk) for chunk in chunks[:4]] == [20, 40, 80, 160]
    assert sum(map(len, chunks)) == 700
    # The reader has seen large rows by then.
    assert max(len("".join(chunk)) for chunk in chunks[5:]) <= 1_000
    assert chunks[-1] == []
