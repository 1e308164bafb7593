"""A question about raw events ends when its client disconnects."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.archive.engine import SECONDS
from tests.http.support.site import Site, an_event, unique
from tests.support.waiting import until

# Statements of questions that wait for the lock; the projector's statements are not among them, because they write.
WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
    and query ~ 'from read_hourly|received_at, e.shard|count_events|lock table only events'
"""
TYPES = {"steps": [{"event_type": "page_viewed"}] * 2}
# Shorter than the statement's own time limit.
SOON = SECONDS - 2
# The number of connections for reads.
READS = 8


async def until_so_many_wait(looking: asyncpg.Connection, number: int) -> None:
    await until(
        lambda: looking.fetchval(WAITING), f"{number} questions wait for the lock", SOON, holds=lambda n: n == number
    )


def question(path: str, body: object) -> bytes:
    """Return the bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = (
        f"{'GET' if body is None else 'POST'} /api/analytics/{path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {len(content)}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + content


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *[(path, None) for path in ("trends?demo_mode=1", "summary?demo_mode=1", "top?by=action", "properties")],
        *[("cohorts?demo_mode=1", None), ("track?demo_mode=1", None), ("funnels", TYPES), ("rollups", None)],
    ],
)
async def test_a_question_ends_when_its_asker_goes_away(site: Site, path: str, body: object) -> None:
    await asyncio.to_thread(site.send, an_event(session_id=unique("s")))
    # A second connection looks, because a transaction keeps its first view of other sessions.
    holder, looking = [await asyncpg.connect(site.database_url) for _ in range(2)]
    try:
        async with locked(holder, "events, hourly_counts"):
            with socket.create_connection(address(site), timeout=60) as asker:
                asker.sendall(question(path, body))
                await until_so_many_wait(looking, 1)
            await until_so_many_wait(looking, 0)
    finally:
        await holder.close()
        await looking.close()


async def test_a_service_whose_reads_all_wait_is_ready(site: Site) -> None:
    holder, looking = [await asyncpg.connect(site.database_url) for _ in range(2)]
    try:
        async with locked(holder, "events"):
            with ExitStack() as askers:
                for _ in range(10):
                    asker = askers.enter_context(socket.create_connection(address(site), timeout=60))
                    asker.sendall(question("track", None))
                await until_so_many_wait(looking, READS)
                ready = await asyncio.to_thread(site.client.get, "/health/ready")
                assert ready.status_code == 200, ready.text
            await until_so_many_wait(looking, 0)
    finally:
        await holder.close()
        await looking.close()


@asynccontextmanager
async def locked(holder: asyncpg.Connection, tables: str) -> AsyncIterator[None]:
    """Hold tables during the block. Try again after a deadlock with a verification: it locks a day before the log."""
    while True:
        transaction = holder.transaction()
        await transaction.start()
        try:
            await holder.execute(f"lock table {tables} in access exclusive mode")
            break
        except asyncpg.DeadlockDetectedError:
            await transaction.rollback()
    try:
        yield
    finally:
        await transaction.rollback()


def address(site: Site) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(site.running.url).port or 0
