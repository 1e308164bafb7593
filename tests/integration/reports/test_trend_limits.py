"""Trends of a time that is not wholly kept or known, and questions that take too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

import service.reports.counts
from projections.projector import catch_up
from service.archive.admission import AT_A_TIME, MOST_WAITING
from service.errors import ServiceError
from service.http.answers import status_of
from sql.database import Database
from tests.conftest import Servers
from tests.support.changing_clocks import CHANGES, DAY, STORED, changing_log, text_of
from tests.support.log import NOW, an_event, append
from tests.support.reads import reads, refused
from tests.support.sharded import Sharded


@pytest_asyncio.fixture
async def retiring(servers: Servers) -> AsyncIterator[Sharded]:
    """Give a changing log of the test's own, because the test retires days."""
    async with changing_log(servers, 1) as sharded:
        yield sharded


async def test_users_are_told_since_they_are_known(retiring: Sharded) -> None:
    day = CHANGES["Europe/Berlin"]
    known = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
    scope = f"from={text_of(known - DAY)}&to={text_of(known + DAY)}"
    await retiring.admin.execute("update shard_totals set people_since = $1", known)
    async with reads(retiring.database, retiring.url) as found:
        for metric in ("users", "new_users", "visitors"):
            answer = await found.trends.page(f"metric={metric}&interval=day&{scope}&compare=previous".encode())
            assert [bucket["value"] is None for bucket in answer["buckets"]] == [True, False]
            assert [bucket["value"] for bucket in answer["compare"]] == [None, None]
        sessions = await found.trends.page(f"metric=sessions&interval=day&{scope}".encode())
        assert None not in [bucket["value"] for bucket in sessions["buckets"]]
        totals = (await found.summary.page(scope.encode()))["totals"]
        assert [name for name, value in totals.items() if value is None] == ["users", "new_users", "visitors"]
        # Raw events still know these users.
        answer = await found.trends.page(f"metric=users&interval=day&{scope}&demo_mode=true".encode())
        assert None not in [bucket["value"] for bucket in answer["buckets"]]


async def test_nothing_is_said_of_a_time_that_is_not_wholly_kept(retiring: Sharded) -> None:
    day = CHANGES["Europe/Berlin"]
    kept = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
    since, until = kept - DAY, kept + DAY
    scope = f"from={text_of(since)}&to={text_of(until)}&interval=day&compare=previous"
    in_both = [event for event in STORED["Europe/Berlin"] if since <= event.timestamp < until]
    await retiring.admin.execute(
        "insert into retired_days select shard, $1, 0, now() from log_heads", day - timedelta(days=1)
    )
    async with reads(retiring.database, retiring.url) as found:
        trends, summary = found.trends, found.summary
        rollups = await trends.page(scope.encode())
        assert (rollups["source"], rollups["from"]) == ("rollups", text_of(since))
        assert sum(bucket["value"] for bucket in rollups["buckets"]) == len(in_both)
        answer = await trends.page(f"{scope}&demo_mode=true".encode())
        assert (answer["source"], answer["from"], answer["to"]) == ("events", text_of(kept), text_of(until))
        assert [bucket["value"] for bucket in answer["buckets"]] == [sum(e.timestamp >= kept for e in in_both)]
        assert [bucket["value"] for bucket in answer["compare"]] == [None]
        narrowed = await summary.page(f"from={text_of(since)}&to={text_of(until)}&compare=week&action=x".encode())
        assert (narrowed["from"], narrowed["compare"]) == (text_of(kept), None)
        gone = f"from={text_of(since)}&to={text_of(kept)}"
        error = await refused(trends.page(f"{gone}&demo_mode=true".encode()))
        assert (status_of(error).number, error.code, error.field) == (422, "expired", "to")
        assert text_of(kept) in error.message
        await retiring.admin.execute(
            "insert into shard_totals (shard, rollups_since) values (0, $1)"
            " on conflict (shard) do update set rollups_since = excluded.rollups_since",
            kept,
        )
        assert (await trends.page(scope.encode()))["from"] == text_of(kept)
        assert (await refused(summary.page(gone.encode()))).code == "expired"


async def test_comparisons_begin_with_the_first_event_unless_retention_took_older_ones(
    database_url: str, database: Database, admin: asyncpg.Connection
) -> None:
    """The beginning is found in the tail of the log, in rollups, and in a tail that is older than the rollups."""
    quarter = timedelta(minutes=15)
    start = NOW.replace(minute=0, second=0, microsecond=0) - 6 * quarter

    async def compared() -> list[int | None]:
        scope = f"from={text_of(start)}&to={text_of(start + 6 * quarter)}&interval=quarter&compare=previous"
        answer = await found.trends.page(scope.encode())
        summary = await found.summary.page(f"{scope.replace('&interval=quarter', '')}".encode())
        values = [bucket["value"] for bucket in answer["compare"]]
        assert (summary["compare"] is None) == (set(values) == {None})
        if summary["compare"]:
            assert summary["compare"]["totals"]["events"] == sum(value or 0 for value in values)
        return values

    async with reads(database, database_url) as found:
        assert await compared() == [None] * 6
        await append(database, [an_event(1, at=start - quarter)])
        assert await compared() == [None] * 5 + [1]
        await catch_up(database)
        assert await compared() == [None] * 5 + [1]
        await append(database, [an_event(2, at=start - 5 * quarter), an_event(3, at=start + quarter)])
        assert await compared() == [None, 1, 0, 0, 0, 1]
        await catch_up(database)
        assert await compared() == [None, 1, 0, 0, 0, 1]
        await admin.execute(
            "insert into shard_totals (shard, rollups_since) values (0, $1)"
            " on conflict (shard) do update set rollups_since = excluded.rollups_since",
            start - DAY,
        )
        assert await compared() == [0, 1, 0, 0, 0, 1]


@asynccontextmanager
async def log_locked(url: str) -> AsyncIterator[None]:
    """Block every reader of raw events."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("lock table events in access exclusive mode")
            yield
    finally:
        await connection.close()


async def test_raw_events_that_take_too_long_are_given_up_and_hold_up_nobody(
    database_url: str, database: Database
) -> None:
    await append(database, [an_event(number) for number in range(3)])
    await catch_up(database)
    async with reads(database, database_url, 1) as found:
        trends = found.trends
        async with log_locked(database_url):
            slow = [asyncio.create_task(refused(trends.page(b"hours=24&demo_mode=true"))) for _ in range(AT_A_TIME)]
            waiting = [asyncio.create_task(trends.page(b"hours=24&demo_mode=true")) for _ in range(MOST_WAITING)]
            await asyncio.sleep(0)
            error = await refused(trends.page(b"hours=24&demo_mode=true"))
            assert (status_of(error).number, error.code) == (503, "unavailable")
            assert status_of(error).headers["retry-after"]
            for other in (found.event_list.page(b"hours=24&where=tool_name exists"), found.cohorts.page(b"hours=24")):
                error = await refused(other)
                assert (status_of(error).number, error.code) == (503, "unavailable")
            assert (await trends.page(b"hours=24"))["source"] == "rollups"
            for error in await asyncio.gather(*slow):
                assert (status_of(error).number, error.code) == (422, "too_slow")
                assert "1 s" in error.message
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(answer, (dict, ServiceError)) for answer in answers)
        answer = await trends.page(b"hours=24&demo_mode=true&interval=day")
        assert sum(bucket["value"] for bucket in answer["buckets"]) == 3


async def test_a_day_that_is_dropped_meanwhile_is_left_out(retiring: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    day = CHANGES["Europe/Berlin"]
    kept = datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)
    starts: list[datetime] = []
    async with reads(retiring.database, retiring.url) as found:
        read = found.counts.read

        async def read_while_dropped(scope: service.reports.counts.Scope, *rest: Any) -> Any:
            starts.append(scope.since)
            if len(starts) == 1:
                await retiring.admin.execute(
                    "insert into retired_days select shard, $1, 0, now() from log_heads", day - timedelta(days=1)
                )
            return await read(scope, *rest)

        monkeypatch.setattr(found.counts, "read", read_while_dropped)
        answer = await found.top_keys.page(
            f"from={text_of(kept - DAY)}&to={text_of(kept + DAY)}&by=event_type&demo_mode=true".encode()
        )
    assert starts == [kept - DAY, kept]
    assert answer["from"] == text_of(kept)
    assert answer["total"] == sum(kept <= event.timestamp < kept + DAY for event in STORED["Europe/Berlin"])
