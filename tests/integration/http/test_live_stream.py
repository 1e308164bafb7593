"""Streams of updates while the database is away, when nothing happens, and when the service stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import Mock

import asyncpg
import pytest
from litestar.response.sse import ServerSentEventMessage
from litestar.types import ASGIApp, Receive, Scope, Send

import service.http.deadline
import service.http.live_stream
from service.errors import ServiceError
from service.http.answers import status_of
from service.http.live_stream import Live, _Stream
from sql.database import Database
from tests.support.log import an_event, append


@asynccontextmanager
async def opened(live: Live) -> AsyncIterator[_Stream]:
    """Hold a place among the streams as a request does; give its stream."""
    held, left = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        held.set()
        await left.wait()

    request = asyncio.create_task(_answered(live, app))
    waiting = asyncio.create_task(held.wait())
    await asyncio.wait([request, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if request.done():
        await request
    try:
        yield _Stream(live)
    finally:
        left.set()
        await request


async def _answered(live: Live, app: ASGIApp) -> None:
    await live.middleware(app)(Mock(), Mock(), Mock())


async def _next(stream: _Stream) -> ServerSentEventMessage | None:
    return await anext(stream, None)


async def told(stream: _Stream) -> tuple[str | None, object]:
    async with asyncio.timeout(20):
        message: ServerSentEventMessage = await anext(stream)
    return message.event, json.loads(message.data) if isinstance(message.data, str) else None


async def test_the_database_is_told_away_once_and_then_back(
    database: Database, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.http.live_stream, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(service.http.live_stream, "KEEP_ALIVE_SECONDS", 1.5)
    async with opened(Live(database)) as stream:
        assert await told(stream) == ("update", {"positions": [0], "lag_events": 0})
        async with admin.transaction():
            await admin.execute("lock table checkpoints in access exclusive mode")
            monkeypatch.setattr(service.http.deadline, "ANSWER_SECONDS", 0.2)
            assert await told(stream) == ("away", {})
            # The stream says so once: the next message is the sign of life, after many more looks.
            assert await told(stream) == (None, None)
        assert await told(stream) == ("update", {"positions": [0], "lag_events": 0})
        await append(database, [an_event()])
        assert await told(stream) == ("update", {"positions": [1], "lag_events": 1})


async def test_all_streams_share_one_look_which_ends_with_the_last_of_them(database: Database) -> None:
    live = Live(database)
    before = asyncio.all_tasks()
    async with opened(live) as first, opened(live) as second:
        assert await told(first) == await told(second)
        looks = [task for task in asyncio.all_tasks() - before if "_look" in repr(task)]
        assert len(looks) == 1
    async with asyncio.timeout(20):
        while asyncio.all_tasks() != before:  # noqa: ASYNC110  # a cancelled task sends no event
            await asyncio.sleep(0)
    async with opened(live) as again:
        assert (await told(again))[0] == "update"


async def test_streams_end_when_the_service_stops_and_no_more_begin(database: Database) -> None:
    live = Live(database)
    async with opened(live) as stream:
        await told(stream)
        waits = asyncio.create_task(_next(stream))
        await asyncio.sleep(0)
        live.close()
        assert await waits is None
        with pytest.raises(ServiceError) as refused:
            async with opened(live):
                pass
        assert status_of(refused.value).number == 503
