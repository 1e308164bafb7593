"""A question about raw events ends with its asker."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.raw_events import STATEMENT_SECONDS
from tests.http.site import Site, an_event, unique

# Statements of a question that wait for the lock; those of the projector write.
WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
    and query ~ 'from (trend_from_events|read_hourly)|event_matches'
"""
# Sooner than the statement would end by itself.
SOON = STATEMENT_SECONDS - 2
# The connections of reads.
READS = 8


async def until(connection: asyncpg.Connection, waiting: int) -> None:
    async with asyncio.timeout(SOON):
        while await connection.fetchval(WAITING) != waiting:  # noqa: ASYNC110  # locks tell nobody
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        *((path, 1) for path in ("trends?demo_mode=1", "summary?demo_mode=1", "top?by=action", "rollups")),
        ("track?demo_mode=1", 2),
    ],
)
async def test_a_question_ends_when_its_asker_goes_away(site: Site, path: str, statements: int) -> None:
    await asyncio.to_thread(site.send, an_event(session_id=unique("s")))
    # What a transaction has seen of the others stays as it was.
    holder, looking = [await asyncpg.connect(site.database_url) for _ in range(2)]
    try:
        async with holder.transaction():
            await holder.execute("lock table events, hourly_counts in access exclusive mode")
            with socket.create_connection(address(site), timeout=60) as asker:
                asker.sendall(asked(path))
                await until(looking, statements)
            await until(looking, 0)
    finally:
        await holder.close()
        await looking.close()


async def test_a_service_whose_reads_all_wait_is_ready(site: Site) -> None:
    holder, looking = [await asyncpg.connect(site.database_url) for _ in range(2)]
    try:
        async with holder.transaction():
            await holder.execute("lock table events in access exclusive mode")
            with ExitStack() as askers:
                for _ in range(10):
                    asker = askers.enter_context(socket.create_connection(address(site), timeout=60))
                    asker.sendall(asked("track?demo_mode=1"))
                await until(looking, READS)
                ready = await asyncio.to_thread(site.client.get, "/health/ready")
                assert ready.status_code == 200, ready.text
            await until(looking, 0)
    finally:
        await holder.close()
        await looking.close()


def address(site: Site) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(site.running.url).port or 0


def asked(path: str) -> bytes:
    return f"GET /api/analytics/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
