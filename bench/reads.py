"""Reads over HTTP from the running service, one after the other on one connection."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from time import perf_counter

from bench.ground import WEB, Ground, Grounds
from bench.processes import running, serving
from bench.rows import MILLISECONDS, NotCounted, Row, Spread, Step, in_turns, most

ROLLUPS = "/api/analytics/rollups?hours=168"
LISTS = {
    "limit=1000 (default)": "/api/analytics/track?hours=24",
    "limit=50": "/api/analytics/track?hours=24&limit=50",
}
RAW = "the same answer from raw events by SQL"
ROWS = "the same answer from rows of quarter hours"
WARM_UP = 5


async def measure(grounds: Grounds) -> list[Row]:
    """Measure with the projector running, and nothing else to do."""
    ground = await grounds.of(WEB)
    await ground.wait_until_folded()
    await ground.verify()  # writes the documents
    with (
        running(ground, "projections", "follow"),
        serving(ground, "service", "http") as (port, _),
    ):
        reads = {path: Reads(port, path, ground.size.requests) for path in (ROLLUPS, *LISTS.values())}
        rows = Reads(port, ROLLUPS, ground.size.requests)
        raw = RawRollups(ground)

        async def from_rows() -> float:
            async with _documents_set_aside(ground):
                return await rows.step()

        async with _documents_set_aside(ground):
            await raw.check()
        steps: dict[str, Step] = {path: read.step for path, read in reads.items()}
        found = await in_turns(ground.size.runs, steps | {ROWS: from_rows, RAW: raw.step})
    what = f"GET rollups, 168 hours, {ground.size.events:,} events stored"
    p99 = Spread(tuple(reads[ROLLUPS].p99s))
    return [
        Row(f"{what}, median", MILLISECONDS, found[ROLLUPS], ROWS, found[ROWS], most(3)),
        Row(f"{what}, p99", MILLISECONDS, p99),
        Row(f"{what}, no hour verified, median", MILLISECONDS, found[ROWS], RAW, found[RAW], most(10)),
        *(
            Row(f"GET track list, 24 hours, exact total, {name}, median", MILLISECONDS, found[path], goal=most(10))
            for name, path in LISTS.items()
        ),
    ]


@asynccontextmanager
async def _documents_set_aside(ground: Ground) -> AsyncIterator[None]:
    """As if no hour were verified. The projector looks for documents that are missing only after some minutes."""
    await ground.database.rows(ground.statements.set_documents_aside)
    try:
        yield
    finally:
        await ground.database.rows(ground.statements.set_documents_aside)


class Reads:
    """Requests for one path; a sample is the median of some of them, in ms."""

    def __init__(self, port: int, path: str, requests: int) -> None:
        self.p99s: list[float] = []
        self._port = port
        self._path = path
        self._requests = requests

    async def step(self) -> float:
        """Return the median of a run, and keep its p99."""
        times = await asyncio.to_thread(self._times)
        self.p99s.append(statistics.quantiles(times, n=100)[98])
        return statistics.median(times)

    def _times(self) -> list[float]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            return [self._time(connection) for _ in range(self._requests + WARM_UP)][WARM_UP:]
        finally:
            connection.close()

    def _time(self, connection: HTTPConnection) -> float:
        started = perf_counter()
        connection.request("GET", self._path)
        answer = connection.getresponse()
        body = answer.read()
        milliseconds = (perf_counter() - started) * 1000
        if answer.status != 200:
            raise NotCounted(f"GET {self._path}: {answer.status} {body[:200]!r}")
        return milliseconds


class RawRollups:
    """The answer for rollups computed from raw events."""

    def __init__(self, ground: Ground) -> None:
        now = datetime.now(UTC)
        self._ground = ground
        self._range = (now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=167), now + timedelta(hours=26))

    async def step(self) -> float:
        """Compute it once; return the time in ms."""
        started = perf_counter()
        await self._ground.database.rows(self._ground.statements.rollups_from_events, *self._range)
        return (perf_counter() - started) * 1000

    async def check(self) -> None:
        """Raise NotCounted unless it is what the rollups say."""
        database = self._ground.database
        raw = await database.rows(self._ground.statements.rollups_from_events, *self._range)
        told = await database.rows(database.statements.read_hourly, 0, *self._range, None)
        about_itself = ("position", "lag_events", "document_events", "document_sessions")
        if {tuple(row) for row in raw} != {tuple(row) for row in told if row["measure"] not in about_itself}:
            raise NotCounted("the rollups are not what the raw events say")
