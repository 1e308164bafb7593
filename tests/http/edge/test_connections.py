"""Connections that send nothing, or half a head: they end soon, and keep nobody out."""

from __future__ import annotations

import subprocess
import sys
from operator import not_
from statistics import median
from time import monotonic

import pytest

from service.http.server import HEAD_SECONDS, MOST_CONNECTIONS, MOST_HEAD_BYTES, OTHER_FILES
from tests.http.support.connections import connections, open_of
from tests.http.support.site import Site, an_event
from tests.support.waiting import wait_until

# More than the server once took.
IDLE = 2_100
HALF_HEAD = b"POST /e HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "
ANSWERED = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LIMITED = """
import resource
from service.http import server
hard = {hard}
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, hard))
print(server._most_connections(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize("first", [b"", HALF_HEAD, ANSWERED], ids=["idle", "half a head", "kept after an answer"])
def test_connections_that_do_nothing_keep_nobody_out_and_are_closed(site: Site, first: bytes) -> None:
    with connections(site.running.url, IDLE, first) as held:
        seconds = []
        for _ in range(10):
            began = monotonic()
            assert site.client.post("/e", json=an_event()).status_code == 200
            seconds.append(monotonic() - began)
        assert median(seconds) < 2
        wait_until(lambda: open_of(held), "all are closed", 4 * HEAD_SECONDS, holds=not_)


def test_memory_for_half_heads_is_bounded(site: Site) -> None:
    (worker,) = site.part("http").children()
    before = worker.memory_info().rss
    with connections(site.running.url, 500, HALF_HEAD + b"a" * 400_000):
        assert worker.memory_info().rss - before < 500 * MOST_HEAD_BYTES + 32 * 2**20


def test_a_head_may_have_many_cookies_but_not_any_number(site: Site) -> None:
    cookies = {"cookie": "a" * (MOST_HEAD_BYTES - 2_000)}
    assert site.client.post("/e", json=an_event(), headers=cookies).status_code == 200
    too_many = {"cookie": "a" * MOST_HEAD_BYTES}
    assert site.client.post("/e", json=an_event(), headers=too_many).status_code == 431


@pytest.mark.parametrize(
    ("soft", "hard", "allowed"),
    [(1_024, 4_096, 4_096 - OTHER_FILES), (512, 512, 512 - OTHER_FILES), (64, 128, 1), (20_000, 20_000, 10_000)],
)
def test_a_worker_takes_as_many_connections_as_it_may_open_files(soft: int, hard: int, allowed: int) -> None:
    code = LIMITED.format(soft=soft, hard=hard)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == [str(allowed), str(max(soft, min(hard, MOST_CONNECTIONS + OTHER_FILES)))]


def test_http_2_is_not_spoken(site: Site) -> None:
    with connections(site.running.url, 1, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") as (connection,):
        assert connection.recv(100) == b""
