"""Exports while the service drops days, deletes rollups and appends events; and clients that stop reading."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

import sql.database
from projections.projector import catch_up
from service.errors import ServiceError
from service.exports import rows as export_rows
from service.exports.export import Export, Exports
from service.http.answers import status_of
from service.http.download import Download
from service.ingest.event import Event
from service.questions.segments import Segments
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database
from tests.conftest import RETENTION_DAYS, Servers
from tests.http.support.site import text_of
from tests.support.exports import FORMATS, Row, rows_of
from tests.support.log import NOW, an_event, until_waited_for
from tests.support.oracle import HOUR
from tests.support.retired_days import append_all, day, fill, old_events, past, retire, whole
from tests.support.sharded import Sharded, sharded_log

# Unlike the rest of its folder, this module tests snapshots and locks, so it runs on every version.
pytestmark = pytest.mark.versions("every")

EVENTS = old_events()
WHOLE = {"from": text_of(day(0)), "to": text_of(day(11))}


@pytest_asyncio.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
async def old(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, request.param) as sharded:
        await fill(sharded, EVENTS)
        yield sharded


@asynccontextmanager
async def exports_of(sharded: Sharded) -> AsyncIterator[Exports]:
    """Give the exports of a log."""
    segments = Segments(sharded.database, sharded.database)
    exports = Exports(sharded.url, segments, lambda: NOW)
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


def as_rows(events: list[Event]) -> list[tuple[str, str]]:
    """Return timestamp and id of events, oldest first."""
    return sorted((text_of(event.timestamp), event.event_id) for event in events)


def named(rows: list[Row]) -> list[tuple[str, str]]:
    return [(row["timestamp"], row["event_id"]) for row in rows]


@pytest.mark.parametrize("form", FORMATS)
async def test_a_day_that_is_read_is_not_dropped(old: Sharded, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql.database, "CHUNK_ROWS", 3)
    async with exports_of(old) as exports:
        async with begun(exports, format=form) as export:
            first = await anext(export.blocks)
            assert first.rows == 3
            (kept,) = await retire(old.database, 0)
            assert "lock timeout" in str(kept.hindrance)
            rows = rows_of(form, first.content + await rest_of(export))
        assert export.since == day(0)
        assert named(rows) == as_rows(EVENTS)
        assert await retire(old.database, 0) == whole(0, events=EVENTS)
        async with begun(exports, format=form) as export:
            assert export.headers["x-hourledger-from"] == text_of(day(1))
            rows = rows_of(form, await rest_of(export))
        assert named(rows) == as_rows([event for event in EVENTS if event.timestamp >= day(1)])


async def test_who_comes_while_a_day_is_dropped_is_told_of_less(old: Sharded) -> None:
    """A dropped partition's rows vanish from older snapshots too, so the export must not promise that day."""
    statements = old.database.statements
    dropping = await asyncpg.connect(old.url)
    try:
        async with dropping.transaction():
            # While a reader holds the log, a pass seals the day but does not drop it.
            await dropping.execute("lock table events in access share mode")
            (kept,) = await retire(old.database, 0)
            assert kept.hindrance is not None
        drop = dropping.transaction()
        await drop.start()
        (row,) = await dropping.fetch(statements.drop_day, day(0).date(), past(0))
        assert row["hindrance"] is None
        async with exports_of(old) as exports:

            async def exported() -> tuple[str, list[Row]]:
                async with begun(exports, format="ndjson") as export:
                    return text_of(export.since), rows_of("ndjson", await rest_of(export))

            asked = asyncio.create_task(exported())
            await until_waited_for(dropping)
            await drop.commit()
            since, rows = await asked
        assert since == text_of(day(1))
        assert named(rows) == as_rows([event for event in EVENTS if event.timestamp >= day(1)])
    finally:
        await dropping.close()


async def test_what_is_gone_is_expired(old: Sharded) -> None:
    assert await retire(old.database, 0) == whole(0, events=EVENTS)
    async with exports_of(old) as exports:
        with pytest.raises(ServiceError, match="not kept any more") as refused:
            async with begun(exports, to=text_of(day(1))):
                pytest.fail("nothing is kept of it")
        assert (status_of(refused.value).number, refused.value.code, refused.value.field) == (422, "expired", "to")
        # The rollups of the day remain.
        async with begun(exports, of="rollups", to=text_of(day(1)), format="ndjson") as export:
            rows = rows_of("ndjson", await rest_of(export))
        events = [event for event in EVENTS if event.timestamp < day(1)]
        assert sum(row["value"] for row in rows if row["measure"] == "total_events") == len(events) > 0


async def test_rollups_are_of_one_moment(old: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export reads in blocks, but every block shows the rollups of its start, despite deletes and appends since."""
    monkeypatch.setattr(export_rows, "BLOCK", 5 * HOUR)
    await retire(old.database, 3)
    late = [an_event(9_000 + place, at=day(number) + HOUR, session="late") for place, number in enumerate((9, 10))]
    await append_all(old, late[:1], clock=day(10))  # stays in the tail
    answer = await Rollups(old.database, Shards(old.database), lambda: NOW).page(
        f"from={WHOLE['from']}&to={WHOLE['to']}".encode()
    )
    async with exports_of(old) as exports:
        async with begun(exports, of="rollups", format="ndjson") as export:
            first = await anext(export.blocks)
            await append_all(old, late[1:], clock=day(11))
            await catch_up(old.database)
            await retire(old.database, 3)
            await retire(old.database, 3, rollup_days=RETENTION_DAYS)
            content = first.content + await rest_of(export)
        rows = rows_of("ndjson", content)
        expected = [
            (rollup["hour"], measure, key, value)
            for rollup in map(plain, reversed(answer["rollups"]))
            for measure in ("total_events", "unique_sessions", "event_counts", "tool_usage", "risk_distribution")
            for key, value in (
                rollup[measure].items() if isinstance(rollup[measure], dict) else [(None, rollup[measure])]
            )
        ]
        assert sorted(map(str, expected)) == sorted(str(tuple(row.values())) for row in rows)
        assert sum(row["value"] for row in rows if row["measure"] == "total_events") == len(EVENTS) + 1
        async with begun(exports, of="rollups") as export:
            assert export.since > day(0)  # the rollups really were deleted


def plain(rollup: Any) -> Any:
    return msgspec.json.decode(rollup) if isinstance(rollup, msgspec.Raw) else rollup


def numbers(told: Any) -> list[tuple[str | None, int]]:
    return list(told.items()) if isinstance(told, dict) else [(None, told)]


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
        with pytest.raises(ServiceError, match=r"pip install 'hourledger\[parquet\]'") as refused:
            async with exports.begun(await exports.question({"format": "parquet"})):
                pytest.fail("it is not installed")
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
