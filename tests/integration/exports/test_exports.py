"""Exports while the service drops days, deletes rollups and appends events."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

import sql.database
from projections.projector import catch_up
from service.errors import ServiceError
from service.exports import rows as export_rows
from service.http.answers import status_of
from service.ingest.event import Event
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from tests.conftest import RETENTION_DAYS
from tests.http.support.site import text_of
from tests.support.exports import FORMATS, WHOLE, Row, begun, exports_of, rest_of, rows_of
from tests.support.log import NOW, an_event, until_waited_for
from tests.support.oracle import HOUR
from tests.support.retired_days import EVENTS, append_all, day, past, retire, whole
from tests.support.sharded import Sharded

# Unlike the rest of its folder, this module tests snapshots and locks, so it runs on every version.
pytestmark = pytest.mark.versions("every")


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
        (row,) = await dropping.fetch(statements.detach_day, day(0).date(), past(2), past(0), None)
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
                pytest.fail("an export began although no event of the range is kept")
        assert (status_of(refused.value).number, refused.value.code, refused.value.field) == (422, "expired", "to")
        # The rollups of the day remain.
        async with begun(exports, of="rollups", to=text_of(day(1)), format="ndjson") as export:
            rows = rows_of("ndjson", await rest_of(export))
        events = [event for event in EVENTS if event.timestamp < day(1)]
        assert sum(row["value"] for row in rows if row["measure"] == "total_events") == len(events) > 0


async def test_rollups_are_of_one_moment(old: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export reads in blocks, but every block shows the rollups of its start, despite deletes and appends since."""
    monkeypatch.setattr(export_rows, "BLOCK", 5 * HOUR)
    await retire(old.database, 3, grace_days=0)
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
