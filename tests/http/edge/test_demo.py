"""`python -m service demo` as a process: it stores and proves events, ends cleanly, and refuses foreign data."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from signal import SIGKILL, SIGTERM

import httpx
import psutil
import pytest

from service.demo.events import DemoEvents
from service.ingest.event import Event
from tests.conftest import folder_for_servers, free_port, words_of
from tests.http.support.demo import DONE, Demo, runs, started_demo
from tests.http.support.site import Json, hour_start, now, text_of
from tests.http.support.starting import line_of, start
from tests.support.oracle import fresh
from tests.support.waiting import wait_until

EVENTS = 2_000
SEED = 7
DIMENSIONS = {"event_counts": "event_type", "tool_usage": "tool_name", "risk_distribution": "risk_mode"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with folder_for_servers() as folder:
        yield folder


@pytest.fixture(scope="module")
def end() -> datetime:
    """Give the end of the generated events: these lie in closed hours, and live events do not."""
    return hour_start(now())


@pytest.fixture(scope="module")
def sent(end: datetime) -> list[Event]:
    return list(DemoEvents(EVENTS, end, SEED))


@pytest.fixture(scope="module")
def demo(folder: Path, end: datetime) -> Iterator[Demo]:
    guarded = {"HOURLEDGER_WRITE_KEY": "key-1", "HOURLEDGER_ALLOWED_HOSTS": "demo.example.com,127.0.0.1"}
    with started_demo(folder, f"--events={EVENTS}", f"--seed={SEED}", "--end", text_of(end), **guarded) as demo:
        demo.wait_for(DONE)
        yield demo
        demo.stop()


def test_all_is_stored_once(demo: Demo, sent: list[Event]) -> None:
    repeats = len(sent) - EVENTS
    assert len(set(sent)) == EVENTS
    assert repeats > 0
    assert f"{EVENTS:,} events stored, {repeats} repeats recognised" in demo.said()


def test_rollups_are_what_is_counted_by_hand(demo: Demo, sent: list[Event], end: datetime) -> None:
    since = hour_start(min(event.timestamp for event in sent))
    answer = demo.get("/api/analytics/rollups", **{"from": text_of(since), "to": text_of(end)})
    assert answer["total_events"] == EVENTS
    expected = fresh(set(sent), since, end)
    counted = {(DIMENSIONS[name], text, key): count for name, text, key, count in counts(answer["rollups"])}
    assert counted == {
        (kind, text_of(hour), key): count for (kind, hour, key), count in expected.items() if hour and key is not None
    }
    sessions = {rollup["hour"]: rollup["unique_sessions"] for rollup in answer["rollups"]}
    assert sessions == {
        text_of(hour): count for (kind, hour, _), count in expected.items() if hour and kind == "sessions"
    }
    assert answer["distinct_sessions"] == expected["distinct_sessions", None, None]


def counts(rollups: list[Json]) -> Iterator[tuple[str, str, str, int]]:
    for rollup in rollups:
        for name in DIMENSIONS:
            for key, count in rollup[name].items():
                yield name, rollup["hour"], key, count


def test_every_hour_is_verified_at_once(demo: Demo, sent: list[Event]) -> None:
    hours = sorted({hour_start(event.timestamp) for event in sent})
    told = f"verify: {len(hours)} hours, {EVENTS:,} events: {len(hours)} verified, 0 sealed, 0 drifted,"
    # The archive may have come to some hours by then.
    archive = r"(; archive: [\d,]+ files?, [\d,]+ events?)?"
    assert re.search(re.escape(f"{told} 0 damaged, 0 broken") + archive + ": clean\n", demo.said())
    for hour in (hours[0], hours[len(hours) // 2], hours[-1]):
        assert demo.get(f"/api/analytics/rollups/{text_of(hour)}")["proof"]["state"] == "verified"
    assert "degraded" not in demo.get("/health/ready")["status"]


def test_more_comes_in_while_it_runs_whatever_happens_to_the_service(demo: Demo, sent: list[Event]) -> None:
    known = {event.event_id for event in sent}
    wait_until(lambda: listed(demo) - known, "an event comes live")
    with demo.busier(10_000_000):
        (server,) = (each for each in psutil.Process(demo.process.pid).children() if "http" in words_of(each))
        server.kill()
        server.wait()
        wait_until(lambda: listed(demo), "the service answers again")
        known |= listed(demo)
        wait_until(lambda: listed(demo) - known, "events come again", holds=lambda new: len(new) >= 3)


def listed(demo: Demo) -> set[str]:
    """Return the ids of the events of the last hour; none while the service does not answer."""
    try:
        return {event["event_id"] for event in demo.get("/api/analytics/track", hours=1)["events"]}
    except httpx.TransportError:
        return set()


def test_it_ends_with_where_to_look(demo: Demo) -> None:
    address = f"http://127.0.0.1:{demo.port}"
    *_, first, schema, live, read, proof, _, last = demo.said()[: demo.said().index("(demo, ")].splitlines()
    assert address + "/ " in first
    assert address + "/schema" in schema
    assert re.search(r"  live  .* new events? an hour now, as in the days before", live)
    assert f"curl '{address}/api/analytics/rollups?hours=24'" in read
    assert f"HOURLEDGER_DATA_DIR={demo.data} make verify" in proof
    assert last == f"hourledger: {address} "


def test_a_second_demo_does_not_take_the_data_of_one_that_runs(demo: Demo, folder: Path) -> None:
    with started_demo(folder) as other:
        assert other.process.wait(60) == 2
        assert other.said().splitlines()[-1].startswith("error: ")
        assert "in use" in other.said()
    assert demo.get("/api/analytics/rollups", hours=8760)["total_events"] >= EVENTS


@pytest.fixture(scope="module")
def again() -> Iterator[Path]:
    """Give a folder that several demos use one after another."""
    with folder_for_servers() as folder:
        yield folder


@pytest.mark.parametrize(("events", "moment"), [(EVENTS, "making"), (1_000_000, "storing"), (EVENTS, "and verifying")])
def test_it_can_be_stopped_before_it_shows(again: Path, events: int, moment: str) -> None:
    with started_demo(again, f"--events={events}") as demo:
        demo.wait_for(moment)
        demo.stop()
        assert not DONE.search(demo.said())


def test_one_that_was_killed_is_cleared_away_and_made_anew(again: Path) -> None:
    with started_demo(again, "--events=10000000") as killed:
        killed.wait_for("storing")
        processes = killed.processes()
        killed.process.send_signal(SIGKILL)
        killed.process.wait()
    (killed.data / "notes.txt").write_text("mine")
    with started_demo(again, "--events=300", "--no-trickle") as demo:
        demo.wait_for(DONE)
        assert demo.get("/api/analytics/rollups", hours=8760)["total_events"] == 300
        assert [each for each in processes if runs(each)] == [], "what the kill left is gone"
        demo.stop(SIGTERM)
    assert (demo.data / "notes.txt").read_text() == "mine"


def refused(**environment: str) -> str:
    return line_of(start("service", "demo", **({"DATABASE_URL": ""} | environment)))


def test_a_database_of_ones_own_is_refused(tmp_path: Path) -> None:
    line = refused(DATABASE_URL="postgresql://somebody:password-1@127.0.0.1:1/x", HOURLEDGER_DATA_DIR=str(tmp_path))
    assert "DATABASE_URL" in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_a_demos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgresql-18").mkdir()
    line = refused(HOURLEDGER_DATA_DIR=str(tmp_path), HOURLEDGER_PORT=str(free_port()))
    assert "HOURLEDGER_DATA_DIR" in line
    assert [path.name for path in tmp_path.iterdir()] == ["postgresql-18"]


def test_a_port_that_is_taken_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = refused(HOURLEDGER_DATA_DIR=str(tmp_path / "demo"), HOURLEDGER_PORT=str(server.getsockname()[1]))
    assert "HOURLEDGER_PORT" in line
    assert not (tmp_path / "demo").exists()
