"""The package for Python programs, with the real service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hourledger_client import Client

from tests.http.support.site import Json, Site, now, unique

PACKAGE = Path(__file__).parents[3] / "clients" / "python"
# A program that ends right after its events.
PROGRAM = """
import sys
from hourledger_client import Client
client = Client(sys.argv[1], pause=30)
for number in range(3):
    client.track(sys.argv[2], session_id="s-1", properties={"number": number})
"""


@pytest.fixture
def kind() -> str:
    return unique("python")


def stored(site: Site, kind: str) -> list[Json]:
    return site.listed(event_type=kind, hours=1)


def test_every_event_is_stored_with_its_fields(site: Site, kind: str) -> None:
    with Client(f"{site.running.url}/e", pause=0) as client:
        event_id = client.track(
            kind, session_id="s-1", user_id="u-1", tool_name="Map", action="opened", properties={"text": "ü", "n": 1.5}
        )
        ids = [client.track(kind, session_id="s-1", demo_mode=True) for _ in range(1_500)]
    assert client.stats() == (0, 1_501, 0, {})
    (event,) = site.listed(event_type=kind, hours=1, tool_name="Map")
    named = ("event_id", "session_id", "user_id", "action", "demo_mode", "properties")
    told = (event_id, "s-1", "u-1", "opened", False, {"text": "ü", "n": 1.5})
    assert tuple(event[name] for name in named) == told
    assert site.get("/api/analytics/track", event_type=kind, hours=1, limit=1)["total_in_range"] == len(ids) + 1


async def test_in_async_code_nothing_waits(site: Site, kind: str) -> None:
    async with Client(f"{site.running.url}/e") as client:
        client.track(kind, session_id="s-1")
        assert await client.flush_async()
        assert len(stored(site, kind)) == 1


def test_a_refused_event_is_dropped_and_its_neighbours_are_stored(site: Site, kind: str) -> None:
    told: list[tuple[str, str]] = []
    with Client(f"{site.running.url}/e", on_error=lambda reason, detail: told.append((reason, detail))) as client:
        client.track(kind, session_id="s-1")
        bad = client.track(kind, session_id="")
        assert client.track(kind, session_id="s-1", properties={"a": object()}) is None
        client.track(kind, session_id="s-1")
    assert len(stored(site, kind)) == 2
    assert client.stats().reasons == {"failed": 1, "missing_field": 1}
    assert told[1][0] == "missing_field"
    assert str(bad) in told[1][1]


def test_an_event_that_is_sent_twice_counts_once(site: Site, kind: str) -> None:
    at = now()
    for _ in range(2):
        with Client(f"{site.running.url}/e") as client:
            client.track(kind, session_id="s-1", event_id=f"{kind}-1", timestamp=at)
        assert client.stats().sent == 1
    assert len(stored(site, kind)) == 1


def test_the_end_of_a_program_sends_what_waits(site: Site, kind: str) -> None:
    command = [sys.executable, "-c", PROGRAM, f"{site.running.url}/e", kind]
    subprocess.run(command, env={"PYTHONPATH": str(PACKAGE)}, check=True, timeout=60)
    assert sorted(event["properties"]["number"] for event in stored(site, kind)) == [0, 1, 2]
