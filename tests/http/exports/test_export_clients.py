"""Large exports: clients that go away, several at a time, memory, and rows that cannot be read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from operator import not_
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import asyncpg
import httpx
import psutil
import pytest
import pytest_asyncio
from pyarrow import parquet

from tests.conftest import Servers
from tests.http.support.exports import EXPORT
from tests.http.support.paths import TRACK
from tests.http.support.site import HOUR, Site, hour_start, new_site, now, refused, text_of
from tests.support.waiting import is_ok, wait_until

EVENTS = 100_000
MEGABYTE = 1024 * 1024
# Less than half the size of the export in any form, in memory or as NDJSON.
GROWTH = 40 * MEGABYTE
FILL = """
insert into events (shard, position, event_id, session_id, event_type, properties, demo_mode, timestamp, received_at)
select
    0, n, 'evt_' || n, 's' || n % 5000, 'kind_' || n % 12,
    jsonb_build_object('n', n, 'text', repeat(n::text, 150)), true, $1::timestamptz + n * interval '0.3 second', now()
from generate_series(1, $2::bigint) as n
"""
READING = """
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and query like '%from events as e%'
"""
BROKEN_OFF = "an export was broken off"


@pytest_asyncio.fixture(scope="module")
async def large(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with many events, so that an export is much larger than the buffers on its way."""
    async with new_site(servers, folder) as site:
        admin = await asyncpg.connect(site.database_url)
        await admin.execute("set session_replication_role = replica")
        await admin.fetch(FILL, hour_start(now()) - 12 * HOUR, EVENTS)
        await admin.close()
        yield site
        site.check_log()


@contextmanager
def asking(site: Site, **query: object) -> Iterator[socket.socket]:
    """Give the connection of a client that has asked for an export and does not read it."""
    with closing(socket.create_connection(("127.0.0.1", urlsplit(site.running.url).port or 0), timeout=60)) as client:
        client.sendall(f"GET {EXPORT}?{urlencode(query)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
        yield client


def reading(site: Site) -> int:
    """Return how many exports read the database now."""
    return int(site.rows(READING)[0][0])


def test_an_export_ends_with_its_client(large: Site) -> None:
    with asking(large, format="ndjson") as client:
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        wait_until(lambda: reading(large), "the export reads the database", holds=lambda number: number == 1)
    wait_until(lambda: reading(large), "its statement and transaction are gone", 20, holds=not_)
    wait_until(large.log, "the service logs it", 20, holds=lambda log: "the client went away" in log)


def test_few_at_a_time_and_others_are_answered(large: Site) -> None:
    with asking(large, format="csv") as first, asking(large, format="ndjson") as second:
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        assert second.recv(100).startswith(b"HTTP/1.1 200")
        refusal = large.client.get(EXPORT)
        assert "2 exports are being made" in refused(refusal, 503, "unavailable")
        assert refusal.headers["retry-after"]
        event = large.send({"event_type": "beside", "session_id": "s", "timestamp": text_of(now() - 30 * HOUR)})
        assert event["stored"] == 1
        assert large.get(TRACK, hours=31, event_type="beside")["count"] >= 1
        assert large.get("/api/analytics/summary", hours=2, demo_mode=1)["ok"]
    wait_until(lambda: large.client.get(EXPORT, params={"event_type": "beside"}), "there is room", holds=is_ok)


def test_memory_is_flat(large: Site) -> None:
    worker = max(large.part("http").children(recursive=True), key=lambda process: process.memory_info().rss)
    forms = ("ndjson", "parquet")
    # Small exports load every module and fill the buffers that every export needs.
    before = max(exported_size(large, worker, form, event_type="kind_0")[0] for form in forms)
    for form in forms:
        most, size, answer = exported_size(large, worker, form)
        assert most - before < GROWTH, f"{form}: {(most - before) / MEGABYTE:.0f} MB more"
        if form == "ndjson":
            assert size > 2 * GROWTH
        if form == "parquet":
            file = parquet.ParquetFile(BytesIO(answer))
            assert file.metadata.num_rows >= EVENTS
            assert file.num_row_groups > 5


def exported_size(site: Site, worker: psutil.Process, form: str, **filters: str) -> tuple[int, int, bytes]:
    """Return a worker's peak memory during an export, the export's size, and the content of a Parquet export."""
    most = size = 0
    kept = bytearray()
    with site.client.stream("GET", EXPORT, params={"format": form, **filters}) as answer:
        assert answer.status_code == 200
        for part in answer.iter_bytes():
            size += len(part)
            if form == "parquet":
                kept += part
            most = max(most, worker.memory_info().rss)
    return most, size, bytes(kept)


async def test_what_cannot_be_read_to_its_end_is_broken_off(servers: Servers, folder: Path) -> None:
    """The service stops, or its connection is cut; the client can tell that the export is incomplete."""
    async with new_site(servers, folder) as site:
        admin = await asyncpg.connect(site.database_url)
        await admin.execute("set session_replication_role = replica")
        await admin.fetch(FILL, hour_start(now()) - 12 * HOUR, EVENTS // 3)

        def broken_by(harm: Callable[[], object]) -> None:
            with site.client.stream("GET", EXPORT, params={"format": "ndjson"}) as answer:
                assert answer.status_code == 200
                parts = answer.iter_raw(1000)
                next(parts)
                harm()
                with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                    list(parts)

        def cut() -> None:
            site.rows(READING.replace("count(*)", "pg_terminate_backend(pid)"))

        await asyncio.to_thread(broken_by, cut)
        wait_until(site.log, "the service logs it", holds=lambda log: BROKEN_OFF in log)
        await asyncio.to_thread(broken_by, site.running.process.terminate)
        wait_until(site.log, "the service logs it again", holds=lambda log: log.count(BROKEN_OFF) == 2)
        await admin.close()
        site.check_log()
