"""Group commit: acked events are stored, refused ones are named, and no event fails because of a neighbour."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from service.errors import ServiceError
from service.http.answers import status_of
from service.ingest import admission
from service.ingest import appender as module
from service.ingest.appender import Appender
from service.ingest.log_writer import LogWriter
from service.ingest.outcomes import DUPLICATE, REFUSED, STORED, UNAVAILABLE
from sql.database import Database
from sql.days import MOST_AT_ONCE
from sql.migrate import migrate
from tests.conftest import RETENTION_DAYS, execute
from tests.support.appenders import until_available
from tests.support.log import NOW, an_event, head_locked, stored, until_waited_for
from tests.support.severed_connection import severable


@asynccontextmanager
async def running(url: str, retention_days: int = RETENTION_DAYS) -> AsyncIterator[Appender]:
    database = Database(url)
    appender = Appender(database, retention_days)
    await appender.start()
    await until_available(appender)
    try:
        yield appender
    finally:
        await appender.close()
        await database.close()


async def test_what_arrives_during_a_commit_shares_the_next_one(database_url: str) -> None:
    async with running(database_url) as appender:
        async with head_locked(database_url) as holder:
            first = asyncio.create_task(appender.append_one(an_event(0)))
            await until_waited_for(holder)
            others = [asyncio.create_task(appender.append_one(an_event(n))) for n in range(1, 50)]
            await asyncio.sleep(0)
        assert await asyncio.gather(first, *others) == [STORED] * 50
        assert appender.admission.events == 0
    rows = await stored(database_url)
    assert len({row["received_at"] for row in rows}) == 2


async def test_a_batch_is_answered_in_its_order(database_url: str) -> None:
    async with running(database_url) as appender:
        events = [an_event(n, session=f"s{n}") for n in range(1200)]
        assert await appender.append(events) == [STORED] * 1200
        assert await appender.append([an_event(5, session="s5"), an_event(5000), an_event(7, session="other")]) == [
            "duplicate",
            STORED,
            "id_reused",
        ]


async def test_one_event_that_postgresql_refuses_costs_only_itself(database_url: str) -> None:
    """The checks of service.ingest.decoding stop such events; the appender is the net below them."""
    events = [an_event(n) for n in range(100)]
    events[37] = an_event(37, properties='{"a": "\\u0000"}')
    async with running(database_url) as appender:
        outcomes = await appender.append(events)
    assert [n for n, outcome in enumerate(outcomes) if outcome != STORED] == [37]
    assert outcomes[37] == REFUSED


async def test_a_full_queue_refuses_at_once_and_keeps_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MOST_EVENTS", 10)
    async with running(database_url) as appender:
        async with head_locked(database_url):
            waiting = [asyncio.create_task(appender.append_one(an_event(n))) for n in range(10)]
            await asyncio.sleep(0)
            with pytest.raises(ServiceError, match="too many events") as refused:
                await appender.append_one(an_event(10))
            assert status_of(refused.value).number == 503
            with pytest.raises(ServiceError, match="too many events"):
                await appender.append([an_event(11)])
        await asyncio.gather(*waiting)
        assert await appender.append_one(an_event(10)) == STORED
    assert len(await stored(database_url)) == 11


async def test_a_commit_whose_answer_was_lost_is_repeated_with_the_same_ids(database_url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        async with severable(database_url, Path(folder)) as way, running(way.url) as appender:
            assert await appender.append_one(an_event(0)) == STORED
            way.answers_to_swallow = 1
            # The repetition finds what the lost commit stored; either answer is a 200.
            assert await appender.append_one(an_event(1)) == "duplicate"
            assert await appender.append_one(an_event(2)) == STORED
    assert [row["event_id"] for row in await stored(database_url)] == ["evt_0", "evt_1", "evt_2"]


async def test_while_the_database_is_away_events_are_refused_at_once_and_later_taken_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPEAT_SECONDS", 0.1)
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        async with severable(database_url, Path(folder)) as way, running(way.url) as appender:
            way.close()
            assert await appender.append_one(an_event(0)) == UNAVAILABLE
            assert not appender.available
            with pytest.raises(ServiceError, match="away"):
                await appender.append_one(an_event(0))
            way.open = True
            await until_available(appender)
            assert await appender.append_one(an_event(0)) in (STORED, "duplicate")
    assert len(await stored(database_url)) == 1


async def test_closing_stores_what_was_accepted_and_takes_no_more(database_url: str) -> None:
    async with running(database_url) as appender:
        accepted = [asyncio.create_task(appender.append_one(an_event(n))) for n in range(2000)]
        await asyncio.sleep(0)
        await appender.close()
        assert [await task for task in accepted] == [STORED] * 2000
        with pytest.raises(ServiceError, match="stopping"):
            await appender.append_one(an_event(2000))
    assert len(await stored(database_url)) == 2000


async def test_an_appender_that_starts_before_its_database_waits_for_it(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    appender = Appender(database, RETENTION_DAYS)
    await appender.start()
    with pytest.raises(ServiceError) as refused:
        await appender.append_one(an_event(0))
    assert status_of(refused.value).number == 503
    await migrate(empty_database_url, shards=3)
    await until_available(appender)
    assert await appender.append([an_event(n, session=f"s{n}") for n in range(100)]) == [STORED] * 100
    await appender.close()
    await database.close()
    assert {row["shard"] for row in await stored(empty_database_url)} == {0, 1, 2}


async def test_a_day_that_is_missing_is_made(database_url: str) -> None:
    day = an_event(0).timestamp
    await execute(database_url, f"drop table events_{day:%Y%m%d}")
    async with running(database_url) as appender:
        assert await appender.append_one(an_event(0)) == STORED


async def test_few_missing_days_are_made_at_a_time(database_url: str) -> None:
    """Otherwise one batch over years would keep the events of others waiting for minutes."""
    events = [an_event(n, at=NOW - timedelta(days=n)) for n in range(2 * MOST_AT_ONCE + 2)]
    async with running(database_url, retention_days=100) as appender:
        first = await appender.append(events)
        # Today and yesterday are there from the start.
        assert first == [STORED] * (MOST_AT_ONCE + 2) + [UNAVAILABLE] * MOST_AT_ONCE
        assert await appender.append_one(an_event(0)) == DUPLICATE
        assert await appender.append(events) == [DUPLICATE] * (MOST_AT_ONCE + 2) + [STORED] * MOST_AT_ONCE


async def test_a_fault_of_the_service_costs_only_the_events_it_met(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database_url) as appender:
        with monkeypatch.context() as broken:
            broken.setattr(LogWriter, "append", lambda *_: 1 / 0)
            assert await appender.append_one(an_event(0)) == UNAVAILABLE
        assert await appender.append_one(an_event(0)) == STORED
