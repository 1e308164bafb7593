"""Exports over HTTP: their content in each format, access, refusals, and clients that disconnect."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import asyncpg
import httpx
import psutil
import pyarrow as pa
import pytest
import pytest_asyncio
from pyarrow import parquet

from tests.conftest import Servers
from tests.http.conftest import READ_TOKEN
from tests.http.support.known import Known, risk_modes
from tests.http.support.site import HOUR, Json, Site, hour_start, new_site, now, refused, text_of, wait_until
from tests.support.exports import FORMATS, Row, rows_of

EXPORT = "/api/analytics/export"
TRACK = "/api/analytics/track"
ROLLUPS = "/api/analytics/rollups"
EVENTS = 300_000
MEGABYTE = 1024 * 1024
# Less than half the size of the export in any form, in memory or as NDJSON.
GROWTH = 40 * MEGABYTE
FILL = """
insert into events (shard, position, event_id, session_id, event_type, properties, demo_mode, timestamp, received_at)
select
    0, n, 'evt_' || n, 's' || n % 5000, 'kind_' || n % 12,
    jsonb_build_object('n', n, 'text', repeat(n::text, 30)), true, $1::timestamptz + n * interval '0.1 second', now()
from generate_series(1, $2::bigint) as n
"""
READING = """
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and query like '%from events as e%'
"""


def exported(site: Site, **query: object) -> tuple[httpx.Response, list[Row]]:
    """Return a successful export and its rows."""
    answer = site.client.get(EXPORT, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer, rows_of(str(query.get("format", "csv")), answer.content)


def scope(known: Known) -> Json:
    """Return a range that holds most known events, including those ahead."""
    until = known.busiest() + 27 * HOUR
    return {"from": text_of(until - 60 * HOUR), "to": text_of(until)}


def listed(site: Site, **query: object) -> list[Json]:
    """Return all events of a list, page by page, oldest first."""
    events: list[Json] = []
    page: Json = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        page = site.get(TRACK, **query, cursor=page["next_cursor"])
        events += page["events"]
    return events[::-1]


@pytest.mark.parametrize("form", FORMATS)
def test_events_are_those_of_the_list_oldest_first(known: Known, form: str) -> None:
    asked = scope(known)
    answer, rows = exported(known.site, format=form, received_at=1, **asked)
    events = listed(known.site, **asked)
    assert len(events) > 2_000
    assert rows == events
    assert list(rows[0]) == list(events[0])
    assert exported(known.site, format=form, **asked)[1] == [
        {name: value for name, value in event.items() if name != "received_at"} for event in events
    ]
    assert (answer.headers["x-hourledger-from"], answer.headers["x-hourledger-to"]) == (asked["from"], asked["to"])
    assert answer.headers["cache-control"] == "no-store"
    since, until = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
    name = f"events-{since:%Y%m%dT%H}Z-{until:%Y%m%dT%H}Z.{form}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize("form", FORMATS)
def test_rollups_are_those_that_are_answered(known: Known, form: str) -> None:
    asked = scope(known)
    _, rows = exported(known.site, format=form, of="rollups", **asked)
    expected = [
        {"hour": rollup["hour"], "measure": measure, "key": key, "value": value}
        for rollup in reversed(known.site.get(ROLLUPS, **asked)["rollups"])
        for measure, told in sorted(rollup.items(), key=lambda item: isinstance(item[1], dict))
        if measure != "hour"
        for key, value in (told.items() if isinstance(told, dict) else [(None, told)])
    ]

    def ordered(found: list[Row]) -> list[tuple[object, ...]]:
        return sorted(tuple(row.values()) for row in [{**row, "key": row["key"] or ""} for row in found])

    assert ordered(rows) == ordered(expected)
    assert [row["hour"] for row in rows] == [row["hour"] for row in expected]
    assert len({row["measure"] for row in rows}) == 5
    assert "(other)" in {row["key"] for row in rows}
    # Compare with the sent events too.
    hour = text_of(known.busiest())
    total = known.rollup(known.busiest())
    told = {row["measure"]: row["value"] for row in rows if row["hour"] == hour and row["key"] is None}
    assert told == {name: total[name] for name in ("total_events", "unique_sessions")}


def told_of(event: Json) -> Json:
    return dict(event.get("properties") or {})


FILTERED: list[tuple[Json, Callable[[Json], bool]]] = [
    ({"session_id": "s-7"}, lambda one: one["session_id"] == "s-7"),
    ({"action": "open", "demo_mode": "0"}, lambda one: one.get("action") == "open" and not one["demo_mode"]),
    ({"where": "properties.n > 1 and user_id = u-1"}, lambda one: "n" in told_of(one) and one["user_id"] == "u-1"),
    ({"risk_mode": "high"}, lambda one: "high" in risk_modes(one)),
    ({"event_type": "no-such-type"}, lambda one: one["event_type"] == "no-such-type"),
]  # fmt: skip


@pytest.mark.parametrize(("filters", "passes"), FILTERED)
def test_filters_are_those_of_all_reads(known: Known, filters: Json, passes: Callable[[Json], bool]) -> None:
    asked = scope(known)
    since, until = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
    expected = {event["event_id"] for event in known.between(since, until) if passes(event)}
    assert bool(expected) is ("event_type" not in filters)
    for form in FORMATS:
        _, rows = exported(known.site, format=form, **filters, **asked)
        assert {row["event_id"] for row in rows} == expected
        assert len(rows) == len(expected)


def test_the_last_hours_end_with_the_current_one(known: Known) -> None:
    while True:
        hour = hour_start(now())
        answer, rows = exported(known.site, hours=3)
        if hour == hour_start(now()):
            break
    assert answer.headers["x-hourledger-from"] == text_of(hour - 2 * HOUR)
    assert answer.headers["x-hourledger-to"] == text_of(hour + HOUR)
    assert len(rows) == len(known.between(hour - 2 * HOUR, hour + HOUR))
    assert exported(known.site, hours=3, format="ndjson", of="rollups")[1][0]["hour"] >= text_of(hour - 2 * HOUR)


def test_parquet_has_types(known: Known) -> None:
    def schema(of: str) -> dict[str, object]:
        content = known.site.client.get(EXPORT, params={"format": "parquet", "of": of}).content
        return {field.name: field.type for field in parquet.read_schema(BytesIO(content))}

    time = pa.timestamp("us", tz="UTC")
    texts = ("event_id", "event_type", "session_id", "user_id", "tool_name", "action", "properties")
    assert schema("events") == {**dict.fromkeys(texts, pa.string()), "demo_mode": pa.bool_(), "timestamp": time}
    assert schema("rollups") == {"hour": time, "measure": pa.string(), "key": pa.string(), "value": pa.int64()}


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("format=xlsx", 400, "invalid_parameter", "format"),
        ("of=proofs", 400, "invalid_parameter", "of"),
        ("hours=0", 400, "invalid_parameter", "hours"),
        ("hours=1&from=2025-10-18T00:00:00Z", 400, "invalid_parameter", "hours"),
        ("from=2025-10-18T00:30:00Z&to=2025-10-18T02:00:00Z", 400, "invalid_parameter", "from"),
        ("received_at=maybe", 400, "invalid_parameter", "received_at"),
        ("where=properties.n", 400, "invalid_parameter", "where"),
        ("segment=none", 400, "invalid_parameter", "segment"),
        ("of=rollups&event_type=a", 400, "invalid_parameter", "event_type"),
        ("of=rollups&received_at=1", 400, "invalid_parameter", "received_at"),
        ("limit=1", 400, "unknown_parameter", "limit"),
        ("from=2001-10-18T00:00:00Z&to=2001-10-19T00:00:00Z", 422, "expired", "to"),
    ],
)
def test_refusals_are_told_before_anything_is_sent(
    known: Known, query: str, status: int, code: str, field: str
) -> None:
    refused(known.site.client.get(f"{EXPORT}?{query}"), status, code, field)


def test_there_is_no_head_of_an_export(known: Known) -> None:
    assert known.site.client.head(EXPORT).status_code == 405


def test_the_read_token_is_asked_for(guarded: Site) -> None:
    refused(guarded.client.get(EXPORT), 401, "unauthorized")
    answer = guarded.client.get(EXPORT, headers={"authorization": f"Bearer {READ_TOKEN}"})
    assert answer.status_code == 200


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
        wait_until(lambda: reading(large) == 1, "the export reads the database")
    wait_until(lambda: reading(large) == 0, "its statement and transaction are gone", 20)
    wait_until(lambda: "the client went away" in large.log(), "the service logs it", 20)


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
    wait_until(lambda: large.client.get(EXPORT, params={"event_type": "beside"}).status_code == 200, "there is room")


def test_memory_is_flat(large: Site) -> None:
    worker = max(large.part("http").children(recursive=True), key=lambda process: process.memory_info().rss)
    forms = ("ndjson", "parquet")
    for form in forms:  # load every module before memory is measured
        exported(large, format=form, event_type="kind_0")
    before = worker.memory_info().rss
    for form in forms:
        most, size, answer = exported_size(large, worker, form)
        assert most - before < GROWTH, f"{form}: {(most - before) / MEGABYTE:.0f} MB more"
        if form == "ndjson":
            assert size > 2 * GROWTH
        if form == "parquet":
            file = parquet.ParquetFile(BytesIO(answer))
            assert file.metadata.num_rows >= EVENTS
            assert file.num_row_groups > 5


def exported_size(site: Site, worker: psutil.Process, form: str) -> tuple[int, int, bytes]:
    """Return a worker's peak memory during an export, the export's size, and the content of a Parquet export."""
    most = size = 0
    kept = bytearray()
    with site.client.stream("GET", EXPORT, params={"format": form}) as answer:
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
        wait_until(lambda: "an export was broken off" in site.log(), "the service logs it")
        await asyncio.to_thread(broken_by, site.running.process.terminate)
        wait_until(lambda: site.log().count("an export was broken off") == 2, "the service logs it again")
        await admin.close()
        site.check_log()
