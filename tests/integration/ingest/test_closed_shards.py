"""The appender closes a shard that takes no appends: waiting senders hear of it early, and it reopens by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import not_
from typing import Any

import asyncpg
import pytest

from service.errors import ServiceError
from service.http.answers import status_of
from service.http.health import readiness
from service.ingest import appender as module
from service.ingest.append_queue import shard_of
from service.ingest.appender import Appender
from service.ingest.outcomes import STORED, UNAVAILABLE
from service.settings import load
from sql.database import Database
from sql.migrate import migrate
from tests.conftest import RETENTION_DAYS
from tests.support.log import an_event, head_locked, stored, until_waited_for
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPEAT_SECONDS", 0.1)


@asynccontextmanager
async def started(url: str) -> AsyncIterator[Appender]:
    database = Database(url, lock_seconds=1)
    appender = Appender(database, RETENTION_DAYS)
    await appender.start()
    try:
        yield appender
    finally:
        await appender.close()
        await database.close()


@asynccontextmanager
async def one_head_locked(url: str, shard: int) -> AsyncIterator[None]:
    """Hold the lock that every append to a shard needs."""
    holder = await asyncpg.connect(url)
    try:
        async with holder.transaction():
            await holder.execute("select from log_heads where shard = $1 for update", shard)
            yield
    finally:
        await holder.close()


async def test_a_commit_that_hangs_is_waited_for_and_all_others_are_told_early(database_url: str) -> None:
    async with started(database_url) as appender:
        await until(lambda: appender.available, "events can be appended")
        async with head_locked(database_url) as holder:
            under_way = asyncio.create_task(appender.append_one(an_event(0)))
            await until_waited_for(holder)
            behind = [asyncio.create_task(appender.append_one(an_event(n))) for n in range(1, 20)]
            assert await asyncio.wait_for(asyncio.gather(*behind), 20) == [UNAVAILABLE] * 19
            assert (appender.available, appender.stuck, appender.admission.events) == (False, True, 1)
            with pytest.raises(ServiceError, match="takes no events") as refused:
                await appender.append([an_event(20)])
            assert status_of(refused.value).number == 503
            assert not under_way.done()
        assert await under_way == STORED
        assert (appender.available, appender.stuck, appender.admission.events) == (True, False, 0)
        assert await appender.append_one(an_event(21)) == STORED
    assert [row["event_id"] for row in await stored(database_url)] == ["evt_0", "evt_21"]


async def test_a_shard_that_cannot_be_appended_to_costs_the_others_nothing(empty_database_url: str) -> None:
    await migrate(empty_database_url, shards=8)
    events = [an_event(n, session=f"s{n}") for n in range(200)]
    stuck = [shard_of(event.session_id, 8) == 3 for event in events]
    async with started(empty_database_url) as appender:
        await until(lambda: appender.available, "events can be appended")
        async with one_head_locked(empty_database_url, 3):
            assert await appender.append(events) == [UNAVAILABLE if its else STORED for its in stuck]
            assert appender.available
            assert await appender.append(events) == [UNAVAILABLE if its else "duplicate" for its in stuck]
            assert appender.admission.events == 0
        outcomes = [UNAVAILABLE]
        while UNAVAILABLE in outcomes:
            outcomes = await appender.append(events)
    assert outcomes == [STORED if its else "duplicate" for its in stuck]
    assert len(await stored(empty_database_url)) == 200


async def told_ready(url: str, appender: Appender) -> tuple[int, dict[str, Any]]:
    database = Database(url, read_only=True)
    answer = await readiness(database, appender, load({}))
    await database.close()
    return answer.status, json.loads(answer.body)


async def test_readiness_names_the_shards_that_take_no_events(empty_database_url: str) -> None:
    await migrate(empty_database_url, shards=4)
    events = [an_event(n, session=f"s{n}") for n in range(100)]
    async with started(empty_database_url) as appender:
        await until(lambda: appender.available, "events can be appended")
        async with one_head_locked(empty_database_url, 1), one_head_locked(empty_database_url, 3):
            stored = (await appender.append(events)).count(STORED)
            why = ["shard 1 takes no events now", "shard 3 takes no events now"]
            told = {"ok": True, "status": "degraded", "degraded": why, "lag_events": stored}
            assert await told_ready(empty_database_url, appender) == (200, told)
        await until(lambda: appender.closed_shards, "all shards take events", holds=not_)
        told = {"ok": True, "status": "ready", "lag_events": stored}
        assert await told_ready(empty_database_url, appender) == (200, told)


async def test_that_nothing_can_be_appended_is_noticed_before_the_first_event(database_url: str) -> None:
    async with started(database_url) as appender:
        async with head_locked(database_url):
            await until(lambda: appender.stuck, "it is noticed")
            with pytest.raises(ServiceError, match="takes no events"):
                await appender.append_one(an_event(0))
        await until(lambda: appender.available, "events can be appended")
        assert await appender.append_one(an_event(0)) == STORED


async def test_closing_ends_with_a_commit_that_is_given_up(database_url: str) -> None:
    async with started(database_url) as appender:
        await until(lambda: appender.available, "events can be appended")
        async with head_locked(database_url) as holder:
            under_way = asyncio.create_task(appender.append_one(an_event(0)))
            await until_waited_for(holder)
            behind = asyncio.create_task(appender.append_one(an_event(1)))
            await asyncio.sleep(0)
            async with asyncio.timeout(20):
                await appender.close()
            assert [await under_way, await behind] == [UNAVAILABLE] * 2
            assert appender.admission.events == 0
    assert await stored(database_url) == []


async def test_closing_ends_with_a_commit_that_gets_through_late(database_url: str) -> None:
    async with started(database_url) as appender:
        await until(lambda: appender.available, "events can be appended")
        async with head_locked(database_url) as holder:
            under_way = asyncio.create_task(appender.append_one(an_event(0)))
            await until_waited_for(holder)
            closing = asyncio.create_task(appender.close())
            await until(lambda: appender.stuck, "it is noticed")
        await closing
        assert await under_way == STORED
    assert len(await stored(database_url)) == 1
