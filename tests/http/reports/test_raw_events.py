"""Questions about raw events have processes of their own, which cost their own answers and end with the service."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

from service.archive.engine import COMMAND
from tests.conftest import Servers, words_of
from tests.http.reports.test_leaving import TYPES, address, locked, question, until_so_many_wait
from tests.http.support.site import Site, an_event, new_site, refused, unique
from tests.support.waiting import wait_until

TRENDS = "/api/analytics/trends"


@pytest_asyncio.fixture
async def ended(servers: Servers, tmp_path: Path) -> AsyncIterator[Site]:
    """Give a service that the test ends."""
    async with new_site(servers, tmp_path) as site:
        yield site


def children(site: Site) -> list[psutil.Process]:
    """Return the processes that read for questions."""
    return [each for each in site.part("http").children(recursive=True) if COMMAND[-1] in words_of(each)]


def ask(site: Site) -> list[int]:
    """Ask a question about raw events; return the values of its buckets."""
    answer = site.get(TRENDS, demo_mode="true", hours=2)
    return [bucket["value"] for bucket in answer["buckets"]]


def test_the_answer_says_where_the_time_went(site: Site) -> None:
    answer = site.client.get(TRENDS, params={"demo_mode": "true", "compare": "previous"})
    steps = re.findall(r"(\w+);dur=\d+\.\d", answer.headers["server-timing"])
    assert steps == ["wait", "snapshot", "files", "rows", "query"]
    asked = {"steps": [{"event_type": "opened"}, {"event_type": "closed"}]}
    assert "query;dur=" in site.client.post("/api/analytics/funnels", json=asked).headers["server-timing"]
    assert "server-timing" not in site.client.get(TRENDS).headers


def test_a_process_that_is_killed_costs_one_answer_at_most(ended: Site) -> None:
    ended.send(an_event(session_id=unique("s")))
    assert sum(ask(ended)) == 1
    (first,) = children(ended)
    first.kill()
    wait_until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE, "the process ends")
    assert sum(ask(ended)) == 1
    assert first not in children(ended)


async def test_a_process_that_is_killed_while_it_reads_is_told_by_name(ended: Site) -> None:
    await asyncio.to_thread(ended.send, an_event(session_id=unique("s")))
    holder, looking = [await asyncpg.connect(ended.database_url) for _ in range(2)]
    try:
        async with locked(holder, "events"):
            asked = asyncio.create_task(asyncio.to_thread(ended.client.post, "/api/analytics/funnels", json=TYPES))
            await until_so_many_wait(looking, 1)
            (child,) = children(ended)
            child.kill()
            message = refused(await asked, 503, "interrupted")
            assert "signal 9" in message
    finally:
        await holder.close()
        await looking.close()
    assert sum(await asyncio.to_thread(ask, ended)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_no_process_outlives_the_service(ended: Site, number: int) -> None:
    """Neither one that waits for a question nor one that reads."""
    holder, looking = [await asyncpg.connect(ended.database_url) for _ in range(2)]
    try:
        async with locked(holder, "events"):
            with socket.create_connection(address(ended), timeout=60) as asker:
                asker.sendall(question("funnels", TYPES))
                await until_so_many_wait(looking, 1)
                reading = children(ended)
                worker = reading[0].parent()
                assert worker is not None
                worker.send_signal(number)
                if number == signal.SIGTERM:
                    ended.running.process.terminate()
                await asyncio.to_thread(
                    wait_until, lambda: not any(each.is_running() for each in reading), "the process ends"
                )
    finally:
        await holder.close()
        await looking.close()
