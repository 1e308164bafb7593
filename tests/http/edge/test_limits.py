"""How much one visitor may send, and who is none, over HTTP. A batch uses up a minute of the limits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from service.access.key_changes import create_key
from service.access.keys import Kind
from sql.database import Database
from tests.conftest import Servers
from tests.http.support.site import Json, Site, an_event, new_site, refused, unique
from tests.support.waiting import wait_until

ONE, ANOTHER, THIRD = "203.0.113.7", "198.51.100.4", "2001:db8::1"
BOT, REFUSED = "203.0.113.99", "203.0.113.250"
HEADLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36"
)


@pytest_asyncio.fixture(scope="module")
async def limited(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service that takes 60 events a minute from an address, and 90 with a key, and none from REFUSED."""
    networks = folder / "networks"
    networks.write_text(f"{REFUSED}/32\n")
    async with new_site(
        servers,
        folder,
        HOURLEDGER_EVENTS_PER_ADDRESS="60",
        HOURLEDGER_EVENTS_PER_KEY="90",
        HOURLEDGER_REFUSED_ADDRESSES=str(networks),
    ) as site:
        yield site
        site.check_log()


def send(site: Site, address: str, events: int, key: str = "") -> httpx.Response:
    """Send a batch as a proxy on this machine passes it on."""
    headers = {"x-forwarded-for": address} | ({"x-write-key": key} if key else {})
    session = unique("s")
    batch: list[Json] = [an_event(session_id=session) for _ in range(events)]
    return site.client.post("/e/batch", json=batch, headers=headers)


def test_an_address_that_sent_too_much_is_told_when_it_may_send_again(limited: Site) -> None:
    assert send(limited, ONE, 100).json()["stored"] == 100, "the rest of a request is not cut off"
    answer = send(limited, ONE, 1)
    assert "HOURLEDGER_EVENTS_PER_ADDRESS" in refused(answer, 429, "rate_limited")
    assert 30 <= int(answer.headers["retry-after"]) <= 40
    single = limited.client.post("/e", json=an_event(), headers={"x-forwarded-for": ONE})
    refused(single, 429, "rate_limited")
    assert send(limited, ANOTHER, 1).status_code == 200
    assert send(limited, "127.0.0.1", 100).json()["stored"] == 100
    assert send(limited, "127.0.0.1", 1).status_code == 200
    assert "hourledger-overloaded" not in limited.client.get("/api/analytics/rollups").headers, "one visitor is no load"
    assert re.search(
        r'hourledger_refused_requests_total\{reason="rate_limited"\} [1-9]', limited.client.get("/metrics").text
    )


def test_a_body_that_cannot_be_read_counts_by_its_bytes(limited: Site) -> None:
    sent = b"[" + b" " * 400_000
    answer = limited.client.post("/e/batch", content=sent, headers={"x-forwarded-for": THIRD})
    refused(answer, 400, "malformed")
    assert "too many bytes" in refused(send(limited, THIRD, 1), 429, "rate_limited")


def test_a_bot_is_refused_counted_and_not_remembered(limited: Site) -> None:
    page = {"origin": limited.running.url, "user-agent": HEADLESS, "x-forwarded-for": BOT}
    for path, body in (("/e", an_event()), ("/e/batch", [an_event()])):
        answer = limited.client.post(path, json=body, headers=page)
        assert "HOURLEDGER_BOTS" in refused(answer, 422, "bot")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert limited.client.post("/e", json=an_event(), headers=page | {"origin": ""}).status_code == 200
    assert "HOURLEDGER_REFUSED_ADDRESSES" in refused(send(limited, REFUSED, 1), 422, "bot")
    counted = re.search(r'hourledger_refused_requests_total\{reason="bot"\} (\d+)', limited.client.get("/metrics").text)
    assert counted is not None
    assert int(counted[1]) == 3
    for unknown in ("HeadlessChrome", BOT, REFUSED):
        assert unknown not in limited.log()

    # A flood of bots has the limit of an address.
    statuses = {limited.client.post("/e", json=an_event(), headers=page).status_code for _ in range(70)}
    assert statuses == {422, 429}


async def test_a_write_key_has_a_limit_over_all_addresses_and_a_server_key_has_none(limited: Site) -> None:
    database = Database(limited.database_url, connections=1)
    try:
        write, other = [await create_key(database, Kind.WRITE, 0) for _ in range(2)]
        server = await create_key(database, Kind.SERVER, 0)
    finally:
        await database.close()
    wait_until(lambda: send(limited, "127.0.0.1", 1).status_code, "keys are needed", holds=lambda status: status == 401)
    assert [send(limited, f"192.0.2.{number}", 50, write).status_code for number in range(3)] == [200, 200, 429]
    assert "HOURLEDGER_EVENTS_PER_KEY" in refused(send(limited, "192.0.2.9", 1, write), 429, "rate_limited")
    answer = limited.client.get("/api/analytics/rollups")
    assert answer.headers["hourledger-overloaded"] == "key"
    assert 'hourledger_overloaded{reason="key"} 1.0' in limited.client.get("/metrics").text
    assert send(limited, "192.0.2.9", 1, other).status_code == 200
    assert [send(limited, "192.0.2.10", 200, server).status_code for _ in range(3)] == [200] * 3
