"""A question about raw events ends with its asker."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.raw_events import STATEMENT_SECONDS
from tests.http.site import Site, an_event, unique

# Questions that wait for the lock, beside the projector.
WAITING = """
select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%from trend_from_events%'
"""
# Sooner than the statement would end by itself.
SOON = STATEMENT_SECONDS - 2


async def until(connection: asyncpg.Connection, waiting: int) -> None:
    async with asyncio.timeout(SOON):
        while await connection.fetchval(WAITING) != waiting:  # noqa: ASYNC110  # locks tell nobody
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("path", ["trends?demo_mode=1", "summary?demo_mode=1", "top?by=action"])
async def test_a_question_ends_when_its_asker_goes_away(site: Site, path: str) -> None:
    await asyncio.to_thread(site.send, an_event(session_id=unique("s")))
    # What a transaction has seen of the others stays as it was.
    holder, looking = [await asyncpg.connect(site.database_url) for _ in range(2)]
    try:
        async with holder.transaction():
            await holder.execute("lock table events in access exclusive mode")
            with socket.create_connection(("127.0.0.1", urlsplit(site.running.url).port or 0), timeout=60) as asker:
                asker.sendall(f"GET /api/analytics/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
                await until(looking, 1)
            await until(looking, 0)
    finally:
        await holder.close()
        await looking.close()
