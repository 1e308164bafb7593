"""The service behind a real nginx with the configuration of deploy/nginx."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.gate import READER
from tests.http.support.nginx import NGINX, Nginx, nginx_before
from tests.http.support.site import Site, an_event, new_site, refused, unique

KEY = {"x-write-key": WRITE_KEY}
PREFIX = "/stats"


@pytest_asyncio.fixture(scope="module")
async def behind(servers: Servers, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Give the service that nginx passes requests to."""
    if NGINX is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs nginx")
    settings = {
        "HOURLEDGER_BASE_PATH": PREFIX,
        "HOURLEDGER_READ_TOKEN": READ_TOKEN,
        "HOURLEDGER_WRITE_KEY": WRITE_KEY,
    }
    async with new_site(servers, folder, empty=False, **settings) as site:
        yield site
        site.check_log()


@pytest.fixture(scope="module")
def nginx(behind: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx_before(behind.running.url, tmp_path_factory.mktemp("nginx")) as nginx:
        yield nginx
        # What it logs by default would name addresses, browsers and keys.
        log = nginx.folder / "access.log"
        assert [line for line in log.read_text().splitlines() if "/nothing" not in line] == []


@pytest.fixture(params=["a name of its own", "a path of a website"])
def place(nginx: Nginx, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Give a client of the service where a visitor finds it."""
    own = request.param == "a name of its own"
    with nginx.client(f"{nginx.url}/" if own else f"{nginx.website}{PREFIX}/") as client:
        yield client


def origin(client: httpx.Client) -> str:
    return f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"


def test_the_events_of_its_own_pages_count(place: httpx.Client, behind: Site) -> None:
    kind = unique("proxied")
    headers = KEY | {"origin": origin(place), "x-forwarded-for": "203.0.113.9"}
    batch = [an_event(event_type=kind, session_id=f"s{number}") for number in range(3)]
    assert place.post("e", json=batch[0] | {"event_id": "first"}, headers=headers).status_code == httpx.codes.OK
    assert place.post("e/batch", json=batch, headers=headers).json()["stored"] == 3
    refused(place.post("e", json=batch[0], headers={"origin": origin(place)}), 401, "unauthorized")
    listed = place.get("api/analytics/track", params={"event_type": kind}, headers=READER).json()
    assert listed["total_in_range"] == 4


def test_the_page_and_the_client_open_and_reads_need_the_token(place: httpx.Client) -> None:
    for path in ("", "h.js", "health/ready", "assets/uPlot.min.css"):
        assert place.get(path).status_code == httpx.codes.OK, path
    refused(place.get("api/analytics/rollups"), 401, "unauthorized")
    assert place.get("api/analytics/rollups", headers=READER).status_code == httpx.codes.OK


def test_the_largest_batch_passes(place: httpx.Client) -> None:
    events = [an_event(session_id=unique("large"), properties={"text": "x" * 15_000}) for _ in range(520)]
    body = json.dumps(events).encode()
    assert 7.5 < len(body) / 2**20 < 8
    answer = place.post("e/batch", content=body, headers=KEY)
    assert answer.json()["stored"] == len(events)


def test_the_stream_is_not_held_back(place: httpx.Client) -> None:
    came = [Event(), Event()]

    def listen() -> None:
        with place.stream("GET", "api/analytics/live", headers=READER) as stream:
            updates = (line for line in stream.iter_lines() if line.startswith("event: update"))
            for each, _ in zip(came, updates, strict=False):
                each.set()

    listener = Thread(target=listen, daemon=True)
    listener.start()
    assert came[0].wait(30)
    assert place.post("e", json=an_event(), headers=KEY).status_code == httpx.codes.OK
    assert came[1].wait(30)
    listener.join(30)


def test_other_addresses_lead_there(nginx: Nginx) -> None:
    with nginx.client(nginx.plain) as client:
        answer = client.get("/some?where", headers={"host": "localhost"})
        assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/some?where")
    with nginx.client(nginx.website) as client:
        answer = client.get(PREFIX)
        assert (answer.status_code, answer.headers["location"]) == (301, f"{nginx.website}{PREFIX}/")
