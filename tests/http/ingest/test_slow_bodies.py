"""Bodies that come slowly or never end keep nobody out and are given up soon. A refusal of a body arrives."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
from asyncio import Future
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from operator import not_
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from litestar.types import HTTPRequestEvent

from service.errors import QueueFull, ServiceError
from service.http.answers import status_of
from service.http.bodies import STEP_BYTES, STEP_SECONDS, Body
from service.ingest.admission import Budget
from tests.conftest import Servers
from tests.http.conftest import WRITE_KEY
from tests.http.support.connections import connections, open_of
from tests.http.support.site import Site, an_event, new_site, refusal
from tests.support.waiting import wait_until

ADDRESS = "192.0.2.1"
MOST_FOR_BATCH = 8_388_608
UNFINISHED = b"POST /e/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n[" % MOST_FOR_BATCH
ONLY_A_HEAD = b"POST /e HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
NODE = """
const http = require('http');
const request = http.request(process.argv[1], { method: 'POST', headers: { 'content-length': 12000000 } }, (answer) => {
  answer.resume().on('end', () => console.log(answer.statusCode));
});
request.on('error', (error) => console.log(error.code));
request.end(Buffer.alloc(12000000, ' '));
"""


@pytest_asyncio.fixture
async def alone(servers: Servers, tmp_path: Path) -> AsyncIterator[Site]:
    """Give a service whose readiness no other test looks at."""
    async with new_site(servers, tmp_path) as site:
        yield site


def pieces(*sent: bytes) -> Iterator[bytes]:
    yield from sent


def receiving(arriving: Iterator[bytes]) -> object:
    """Return an ASGI receive function that gives the pieces and then nothing, for ever."""

    async def receive() -> HTTPRequestEvent:
        if (piece := next(arriving, None)) is None:
            await Future()
        return {"type": "http.request", "body": piece or b"", "more_body": True}

    return receive


@pytest.mark.parametrize("sent", [(), (b"[" * 1000,), (b"[" * STEP_BYTES, b"[")], ids=["nothing", "some", "one step"])
async def test_a_body_that_does_not_go_on_is_given_up_and_no_longer_held(sent: tuple[bytes, ...]) -> None:
    budget = Budget("batches", MOST_FOR_BATCH)
    body = Body(budget, MOST_FOR_BATCH, ADDRESS, step_seconds=0.01)
    with pytest.raises(ServiceError, match="too slowly") as caught:
        await body.read(receiving(pieces(*sent)), {})  # type: ignore[arg-type]
    assert status_of(caught.value).number == 400
    assert budget.bytes == sum(map(len, sent))
    body.release()
    assert budget.bytes == 0
    budget.arrive(ADDRESS, MOST_FOR_BATCH // 4)


async def test_what_arrives_from_one_address_is_bounded() -> None:
    budget = Budget("batches", 4 * STEP_BYTES)
    body = Body(budget, MOST_FOR_BATCH, ADDRESS)
    with pytest.raises(QueueFull, match="your address"):
        await body.read(receiving(pieces(b"[" * STEP_BYTES, b"[")), {})  # type: ignore[arg-type]
    body.release()
    budget.arrive(ADDRESS, STEP_BYTES)


def test_unfinished_batches_refuse_nobody(site: Site) -> None:
    half = UNFINISHED + b" " * (MOST_FOR_BATCH // 2)
    with connections(site.running.url, 12, half) as held:
        for _ in range(5):
            assert site.client.post("/e", json=an_event()).status_code == 200
        wait_until(lambda: open_of(held), "all were given up", 4 * STEP_SECONDS, holds=not_)
        site.send(an_event(), an_event())


def test_a_budget_that_is_used_up_refuses_batches_only_and_is_told(alone: Site) -> None:
    half = b" " * (MOST_FOR_BATCH // 2)
    with ExitStack() as held:
        for number in range(17):
            head = UNFINISHED.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.%d\r\n\r\n" % number)
            held.enter_context(connections(alone.running.url, 1, head + half))
        wait_until(alone.readiness, "it is told", 10, holds=lambda told: "batches were refused" in str(told))
        assert alone.client.post("/e", json=an_event()).status_code == 200
    assert alone.get("/health/ready")["status"] == "degraded"


def test_a_head_without_its_body_is_given_up(site: Site) -> None:
    with connections(site.running.url, 1, ONLY_A_HEAD) as (connection,):
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 400")
    refusal(json.loads(answer.partition(b"\r\n\r\n")[2]), "malformed")


@pytest.mark.parametrize("path", ["/e", "/e/batch", f"/e?key={WRITE_KEY}", "/nothing", "/metrics"])
@pytest.mark.parametrize("size", [100_000, 12_000_000])
def test_a_refusal_arrives_although_the_body_is_not_read(guarded: Site, path: str, size: int) -> None:
    asked = http.client.HTTPConnection("127.0.0.1", urlsplit(guarded.running.url).port, timeout=60)
    asked.request("POST", path, b" " * size)
    answer = asked.getresponse()
    assert answer.status in (401, 413)
    body = json.loads(answer.read())
    refusal(body, "too_large" if answer.status == 413 else "unauthorized")
    # The connection can be used again.
    asked.request("GET", "/health/live")
    assert asked.getresponse().status == 200
    asked.close()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_node_sees_the_refusal(site: Site) -> None:
    done = subprocess.run(
        ["node", "-e", NODE, f"{site.running.url}/e/batch"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "413\n"


def test_a_body_without_end_is_read_for_a_bounded_time_only(site: Site) -> None:
    head = b"POST /e HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n"
    with connections(site.running.url, 1, head) as (connection,):
        assert sent_until_closed(connection) < 100_000_000


def sent_until_closed(connection: socket.socket) -> int:
    for sent in range(0, 200_000_000, 65_536):
        try:
            connection.sendall(b" " * 65_536)
        except ConnectionError:
            return sent
    pytest.fail("the service read on and on")
