"""PostgreSQL fails in many ways: clients hear of it soon, memory does not grow, and the service recovers.

No 2xx without a commit: every event that was acked before, during or after is in the log exactly once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic

import asyncpg
import httpx
import pytest

from service.http.deadline import ANSWER_SECONDS
from service.ingest.admission import MOST_EVENTS
from tests.conftest import folder_for_servers
from tests.faults.table.outages import (
    CONNECTIONS,
    MIB,
    SENDERS,
    Place,
    check_refusal,
    commits_take_two_seconds,
    new_place,
    tomorrow,
)
from tests.http.support.site import an_event, unique
from tests.support import plain_http
from tests.support.waiting import is_ok, wait_until

# The commit under way answers last: 3 s after it began, or when the driver gives up a hanging server. A busy machine
# may need 10 s more. Without limits the answer would come only after the fault, and a fault that lasts 60 s fails too.
SOON = 30.0
WHEN_IT_HANGS = 40.0
FULL = Path("/dev/full")
END_SERVICE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'hourledger'"


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with folder_for_servers() as folder, new_place(folder) as place:
        yield place


def test_stopped(place: Place) -> None:
    with place.loaded() as senders:
        place.stop()
        try:
            place.wait_until_refused()
            place.wait_until_nothing_waits()
            check_refusal(place.client.get("/api/analytics/rollups"))
        finally:
            place.start()
    assert senders.told[503] > 0
    assert senders.slowest < SOON


def test_restarted(place: Place) -> None:
    with place.loaded() as senders:
        for _ in range(3):
            place.stop()
            place.start()
            senders.wait_for(100)
    assert senders.slowest < SOON
    # Reads succeed, although the restarts cut the service's connections.
    assert [place.client.get("/api/analytics/rollups").status_code for _ in range(20)] == [200] * 20


def test_out_of_connections(place: Place) -> None:
    with place.loaded() as senders, all_connections_taken(place):
        place.wait_until_refused()
        place.wait_until_nothing_waits()
    assert senders.told[503] > 0
    assert senders.slowest < SOON


@contextmanager
def all_connections_taken(place: Place) -> Iterator[None]:
    """Take every connection of the server, including the service's."""
    with asyncio.Runner() as runner:
        taken: list[asyncpg.Connection] = []
        try:
            runner.run(asyncio.wait_for(take_all(place.server.url, taken), 60))
            yield
        finally:
            for connection in taken:
                connection.terminate()


async def take_all(url: str, taken: list[asyncpg.Connection]) -> None:
    """Connect until every connection of the server is in `taken`: one that the service begins is not yet listed."""
    first = await asyncpg.connect(url)
    taken.append(first)
    while len(taken) < CONNECTIONS:
        try:
            taken.append(await asyncpg.connect(url))
        except asyncpg.TooManyConnectionsError:
            await first.execute(END_SERVICE)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full: a disk without any space")
def test_out_of_disk(place: Place) -> None:
    """The file of tomorrow's events is on a full disk; PostgreSQL reports the kernel's error as 53100."""
    day = tomorrow()
    event = an_event(at=day, event_id=unique("full"))
    with place.loaded() as senders:
        with disk_full(place, day):
            for _ in range(2):
                began = monotonic()
                answer = place.client.post("/e", json=event)
                check_refusal(answer)
                assert monotonic() - began < SOON
                assert answer.json()["error"]["code"] == "disk_full"
            assert place.ready().status_code == 200  # reads go on
            assert "No space left on device" in place.running.log.read_text()
        wait_until(lambda: place.client.post("/e", json=event), "there is space again", 60, holds=is_ok)
    assert senders.told[503] > 0
    assert senders.slowest < SOON
    place.check_recovered({event["event_id"]}, event["event_id"])


@contextmanager
def disk_full(place: Place, day: datetime) -> Iterator[None]:
    """Put the file of a day without events on a full disk during the block; then move it back."""
    table = f"events_{day:%Y%m%d}"
    (row,) = place.rows("select pg_relation_filepath($1::text::regclass) as path", table)
    file = place.server.postgres.folder / row["path"]
    assert file.stat().st_size == 0
    aside = file.rename(f"{file}.aside")
    file.symlink_to(FULL)
    try:
        place.rows(END_SERVICE)  # because its connections may have the old file open
        with pytest.raises(asyncpg.DiskFullError):
            place.rows(f"insert into {table} select 1, $1, $1, 0, true, 'e', 's', null, 't'", day)
        yield
    finally:
        file.unlink()
        aside.rename(file)
        place.rows(f"vacuum full {table}")


def test_read_only(place: Place) -> None:
    """A read-only standby: a service that fails over to it can read, and can post once the standby is promoted."""
    with place.loaded() as senders:
        place.stop()
        (place.server.postgres.folder / "standby.signal").touch()
        place.start()
        try:
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                place.rows("create table written ()")
            wait_until(lambda: place.client.get("/api/analytics/rollups"), "reads are answered", holds=is_ok)
            place.wait_until_refused()
            place.wait_until_nothing_waits()
        finally:
            place.rows("select pg_promote()")
    assert senders.told[503] > 0
    assert senders.slowest < SOON


def test_slow(place: Place) -> None:
    """Each commit takes two seconds; this is not an outage."""
    with place.loaded() as senders, commits_take_two_seconds(place):
        before = senders.told.copy()
        senders.wait_for(40)
        assert place.ready().status_code == 200
        assert 0 < place.waiting() <= SENDERS
        told = senders.told - before
    assert 1.9 < senders.slowest < SOON
    assert told[503] == senders.told[503] == 0


def test_locked(place: Place) -> None:
    """An operator holds a lock on all events; events sent meanwhile do not fill the memory, also the second time.

    The first full queue takes memory that the allocator of a worker keeps for the next one.
    """
    before = place.memory()
    with events_locked(place):
        assert place.memory() - before < 400 * MIB
    place.wait_until_ready()
    with place.loaded() as senders, events_locked(place):
        place.wait_until_refused()
        place.wait_until_nothing_waits()
    assert senders.told[503] > 0
    assert senders.slowest < SOON


@contextmanager
def events_locked(place: Place) -> Iterator[None]:
    """Lock all events, and send more batches than a worker takes meanwhile. Yield when each has its refusal."""
    batch = json.dumps([an_event() for _ in range(5_000)]).encode()
    with (
        ThreadPoolExecutor(24) as beside,
        place.holding("lock table events in access exclusive mode"),
    ):
        answers = [beside.submit(post_batch, place, batch) for _ in range(24)]
        waiting = []
        while not all(answer.done() for answer in answers):
            waiting.append(place.waiting())
        for answer in answers:
            check_refusal(answer.result())
        assert 5_000 <= max(waiting) <= MOST_EVENTS
        yield


def post_batch(place: Place, batch: bytes) -> httpx.Response:
    began = monotonic()
    headers = {"content-type": "application/json"}
    answer = plain_http.post(f"{place.running.url}/e/batch", content=batch, headers=headers)
    assert monotonic() - began < SOON
    return answer


def test_idle_transactions(place: Place) -> None:
    """Open transactions hold a snapshot, and a lock on events that blocks no other. This is not an outage."""
    with (
        place.loaded() as senders,
        place.holding("set transaction isolation level repeatable read", "select count(*) from events"),
        place.holding("lock table events in access share mode"),
    ):
        senders.wait_for(1_000)
        assert place.ready().status_code == 200
        assert place.client.get("/api/analytics/rollups").status_code == 200
    assert senders.told[503] == 0
    assert senders.slowest < SOON


def test_hanging(place: Place) -> None:
    """The server and all its processes are suspended, with their connections open."""
    with place.loaded() as senders:
        stopped = place.processes()
        for process in stopped:
            process.suspend()
        try:
            place.wait_until_refused()
            wait_until(
                lambda: len(senders.refused), "the service gives up the commit under way", holds=lambda n: n == SENDERS
            )
            place.check_refused_at_once()
            began = monotonic()
            assert "hourledger_database_up 0.0\n" in place.client.get("/metrics").text
            assert monotonic() - began < ANSWER_SECONDS + 2
        finally:
            for process in reversed(stopped):
                process.resume()
    assert senders.slowest < WHEN_IT_HANGS
