"""What docs/privacy.md says is not stored: it is searched for in the data directory, and in all logs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import folder_for_servers, running_service
from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.gate import OPEN, READER, READS
from tests.http.support.site import Json, an_event
from tests.support.mmdb import SWISS, mmdb
from tests.support.servers import execute
from tests.support.waiting import wait_until

ADDRESS = "203.0.113.77"
# Each is a text that nothing else has.
TOLD = {
    "x-forwarded-for": ADDRESS,
    "user-agent": "Odd-Browser-4711/1.0",
    "cookie": "visitor=odd-cookie-4711",
    "referer": "https://odd-referrer-4711.example/page",
    "accept-language": "xx-odd4711",
    "origin": "https://odd-origin-4711.example",
    "sec-ch-ua-model": "odd-device-4711",
    "cf-ipcountry": "odd-country-4711",
}
# A browser that is known, of which only the name may be stored, and a place that is.
KNOWN = "Mozilla/5.0 (X11; Linux x86_64; rv:4711.0) Gecko/20100101 Firefox/4711.0"
TOLD_OF_KNOWN = {"$browser": "Firefox", "$os": "Linux", "$device": "desktop", "$country": "CH", "$region": "CH-ZH"}
MARKS = [
    ADDRESS,
    KNOWN,
    "Firefox/",
    "4711.0",
    *(text.removeprefix("visitor=").removeprefix("https://").partition("/")[0] for text in TOLD.values()),
]


@dataclass(frozen=True)
class Visited:
    """A stopped service that was visited: its folder, with data and log, and the answers that it gave.

    told: the properties of the event of the browser that is known.
    """

    folder: Path
    answers: list[httpx.Response]
    told: Json

    def holding(self, text: str) -> list[str]:
        """Return the files that hold a text."""
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        assert len(files) > 100
        return [str(file.relative_to(self.folder)) for file in files if text.encode() in file.read_bytes()]


def visit(client: httpx.Client) -> list[httpx.Response]:
    """Send what is stored and what is refused, as a browser behind a proxy does; read as such a browser does."""
    headers = TOLD | {"x-write-key": WRITE_KEY}
    events: list[Json] = [an_event(session_id="odd-session-4711", event_type=f"type{number}") for number in range(20)]
    return [
        client.post("/e/batch", json=events, headers=headers),
        client.post("/e", json=events[0], headers=TOLD),
        client.post("/e", json=an_event(session_id="known-4711"), headers=headers | {"user-agent": KNOWN}),
        client.post("/e", json=events[0] | {"no": "field"}, headers=headers),
        client.post("/e", content=b"{", headers=headers),
        client.post(f"/e/batch?key={WRITE_KEY}", content=b"[{}]", headers=TOLD),
        *(client.get(path, headers=TOLD) for path in OPEN),
        *(client.get(path, headers=TOLD | READER) for path in READS),
        client.get("/nothing", headers=TOLD | READER),
    ]


@contextmanager
def visited(folder: Path) -> Iterator[Visited]:
    (folder / "places.mmdb").write_bytes(mmdb({f"{ADDRESS}/32": SWISS}))
    settings = {
        "HOURLEDGER_GEOIP": str(folder / "places.mmdb"),
        "HOURLEDGER_READ_TOKEN": READ_TOKEN,
        "HOURLEDGER_WRITE_KEY": WRITE_KEY,
        "HOURLEDGER_CORS_ORIGINS": TOLD["origin"],
        "HOURLEDGER_LOG": "debug",
    }
    with running_service(folder, None, port=None, **settings) as running, running.client() as client:
        answers = visit(client)
        wait_until(
            lambda: client.get("/health/ready").json().get("lag_events"), "all is folded", holds=lambda n: n == 0
        )
        (known,) = client.get("/api/analytics/track?session_id=known-4711", headers=READER).json()["events"]
        url = f"postgresql://hourledger@/hourledger?host={running.data}/run"
        # A fault, which is logged; and nothing is left in the server's memory only.
        asyncio.run(execute(url, "alter function append_events rename to append_no_events"))
        answers.append(client.post("/e", json=an_event(), headers=TOLD | {"x-write-key": WRITE_KEY}))
        asyncio.run(execute(url, "checkpoint"))
    yield Visited(folder, answers, known["properties"])


@pytest.fixture(scope="module")
def after() -> Iterator[Visited]:
    with folder_for_servers() as folder, visited(folder) as after:
        yield after


def test_the_search_finds_what_is_stored(after: Visited) -> None:
    assert {answer.status_code for answer in after.answers} >= {200, 400, 401, 404, 503}
    assert [file for file in after.holding("odd-session-4711") if file.startswith("data/postgresql-18/base/")]


def test_of_agent_and_address_only_names_are_kept(after: Visited) -> None:
    assert after.told == TOLD_OF_KNOWN


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_that_a_browser_or_a_proxy_tells_is_stored(after: Visited, mark: str) -> None:
    assert after.holding(mark) == []


def test_no_cookie_is_set(after: Visited) -> None:
    assert [answer.request.url for answer in after.answers if "set-cookie" in answer.headers] == []
