"""Server-sent events: sent at once and when the log moves, limited in number, ended when the service stops."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.conftest import READ_TOKEN
from tests.http.support.site import Json, Site, an_event, new_site, refused, unique
from tests.support import plain_http
from tests.support.waiting import is_ok, wait_until

LIVE = "/api/analytics/live"
MOST = 64


class Told(NamedTuple):
    """One message of a stream; `event` is None for a comment."""

    event: str | None
    data: Json


class Stream:
    """An open stream; tests read one message at a time."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def next(self) -> Told | None:
        """Return the next message, or None when the stream has ended."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return Told(fields.get("event"), json.loads(fields.get("data", "{}")))
            name, _, value = line.partition(": ")
            fields[name] = value
        return None


@contextmanager
def stream(site: Site, **headers: str) -> Iterator[Stream]:
    with site.client.stream("GET", LIVE, headers=headers) as answer:
        yield Stream(answer)


@pytest_asyncio.fixture(scope="module")
async def watched(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service whose streams no other test opens."""
    async with new_site(servers, folder) as site:
        yield site
        site.check_log()


def until(stream: Stream, position: int) -> Told:
    """Return the first message with this position; assert that all messages before it have older positions."""
    while (told := stream.next()) is not None:
        assert told.event == "update"
        if told.data["positions"] == [position]:
            return told
        assert told.data["positions"][0] < position
    pytest.fail("the stream has ended")


def head(site: Site) -> int:
    ((position,),) = site.rows("select log_head(0)")
    return int(position)


def test_where_the_log_stands_is_told_at_once_and_when_it_moves(watched: Site) -> None:
    with stream(watched) as first:
        assert first.answer.status_code == 200
        assert first.answer.headers["content-type"].startswith("text/event-stream")
        assert first.answer.headers.get_list("cache-control") == ["no-store"]
        told = first.next()
        assert told is not None
        assert told.event == "update"
        assert list(told.data) == ["positions", "lag_events"]
        for number in range(2):
            before = head(watched)
            watched.send(an_event(session_id=unique("s")))
            until(first, before + 1)
            with stream(watched) as second:
                assert until(second, before + 1).data["positions"] == [before + 1], number


def test_the_token_opens_a_stream(guarded: Site) -> None:
    with stream(guarded, authorization=f"Bearer {READ_TOKEN}") as opened:
        told = opened.next()
        assert told is not None
        assert told.event == "update"


def tried(site: Site) -> httpx.Response:
    with stream(site) as tried:
        return tried.answer


def test_streams_are_limited_and_given_back(watched: Site) -> None:
    with ExitStack() as opened:
        for _ in range(MOST):
            assert opened.enter_context(stream(watched)).answer.status_code == 200
        answer = watched.client.get(LIVE)
        refused(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
        assert watched.get("/api/analytics/rollups")["ok"]
    wait_until(lambda: tried(watched), "streams whose clients have gone are given back", 10, holds=is_ok)
    with ExitStack() as opened:
        for _ in range(MOST // 2):
            wait_until(lambda: tried(watched), "there are places again", 10, holds=is_ok)
            opened.enter_context(stream(watched))


def test_a_head_of_a_stream_is_refused(watched: Site) -> None:
    assert watched.client.head(LIVE).status_code == 405


def test_a_stop_ends_open_streams_and_what_waits_is_stored(watched: Site) -> None:
    worker_parent = watched.part("http")
    with stream(watched) as open_one, stream(watched) as another:
        assert open_one.next() is not None
        assert another.next() is not None
        watched.send(an_event(session_id=unique("s")))
        before = head(watched)
        began = monotonic()
        worker_parent.terminate()
        while open_one.next() is not None:
            pass
        while another.next() is not None:
            pass
        worker_parent.wait(20)
        took = monotonic() - began
    assert took < 5
    wait_until(lambda: _readiness(watched), "the supervisor has started it again", holds=is_ok)
    assert head(watched) == before


def _readiness(site: Site) -> httpx.Response | None:
    try:
        return plain_http.get(f"{site.running.url}/health/ready", timeout=5)
    except httpx.TransportError:
        return None
