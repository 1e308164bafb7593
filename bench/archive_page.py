"""The overview page with one filter: what it reads over HTTP, until the last of its parts is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from time import perf_counter
from urllib.parse import urlencode

from bench.archived import Archived
from bench.processes import serving
from bench.reads import TIMEOUT_SECONDS, get
from bench.rows import MILLISECONDS, Row, in_turns, most

# How many connections a browser opens to one server.
CONNECTIONS = 6
WHAT = "overview page with one filter, all of its reads"


async def page_rows(archived: Archived) -> list[Row]:
    """Measure the page's reads, as many at a time as a browser asks, in the order in which it asks."""
    settings = {"HOURLEDGER_ARCHIVE_DIR": str(archived.archive)}
    with (
        serving(archived.ground, "service", "http", settings=settings) as (port, _),
        ThreadPoolExecutor(CONNECTIONS) as threads,
    ):
        paths = list(_paths(archived))

        async def step() -> float:
            return await asyncio.to_thread(_read, threads, port, paths)

        await step()
        found = await in_turns(archived.ground.size.runs, {WHAT: step})
    return [Row(f"{WHAT}, {archived.events:,} events archived", MILLISECONDS, found[WHAT], goal=most(700))]


def _paths(archived: Archived) -> Iterator[str]:
    """Yield the paths of all parts; see service/web/overview/overview.js."""
    times = {"from": archived.since.isoformat(), "to": archived.until.isoformat()}
    scope = times | {"tool_name": "Home"}
    yield _path("summary", scope, compare="previous", interval="hour", tz="UTC")
    yield _path("trends", scope, metric="events", interval="hour", tz="UTC", compare="previous")
    yield _path("top", scope, by="action", limit="10")
    yield _path("proofs", times)
    yield _path("track", scope, limit="10", total="0")


def _path(name: str, scope: dict[str, str], **more: str) -> str:
    return f"/api/analytics/{name}?{urlencode(scope | more)}"


def _read(threads: ThreadPoolExecutor, port: int, paths: list[str]) -> float:
    started = perf_counter()
    list(threads.map(lambda path: _get(port, path), paths))
    return (perf_counter() - started) * 1_000


def _get(port: int, path: str) -> None:
    with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        get(connection, path)
