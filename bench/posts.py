"""Durable single-event POSTs under wrk, compared to the same route without the database and to other peers."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, count, product
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.ground import WEB, Ground, Grounds
from bench.peers import PATH, decode_only, no_database, one_append, one_insert
from bench.processes import peak_memory_of_workers, running, serving
from bench.rows import MEGABYTES, MILLISECONDS, NotCounted, Row, Spread, in_turns, least_ratio, most
from bench.rows import REQUESTS_PER_SECOND as REQUESTS

FEW, MANY = 64, 256
WARM_UP_SECONDS = 1
SCRIPT = Path(__file__).with_name("post.lua")
NO_WRK = "wrk is not on PATH; on Debian and Ubuntu: apt-get install wrk"
SERVICE = "service"
MEMORY = "HTTP worker after these loads, peak RSS"
WITHOUT = "the same route without the database"


class Case(NamedTuple):
    """A load: the server, its number of workers, and the number of connections."""

    server: str
    workers: int = 1
    connections: int = FEW

    @property
    def load(self) -> str:
        """Return the numbers of connections and workers as text."""
        return f"{self.connections} connections, {self.workers} worker{'s' if self.workers > 1 else ''}"

    @property
    def name(self) -> str:
        """Return the unique name of the load."""
        return f"{self.server}, {self.load}"

    @property
    def p99(self) -> str:
        """Return the name of the load's p99."""
        return f"{self.name}, p99"


PAIRS = tuple((Case(SERVICE, *load), Case(no_database.__name__, *load)) for load in product((1, 2), (FEW, MANY)))
# Further peers of the smallest load. Each has a label and the least ratio of the service's rate to the peer's.
PEERS = (
    (Case(one_append.__name__), "same service, one append (one transaction) per request", 4),
    (Case(one_insert.__name__), "same service, one plain INSERT per request, no receipts", 1.5),
    (Case(decode_only.__name__), "@asgi route that only decodes and answers", 0.35),
)
# Servers that report events as stored without storing them.
STORELESS = (no_database.__name__, decode_only.__name__)
CASES = (*chain(*PAIRS), *(case for case, _, _ in PEERS))


async def measure(grounds: Grounds) -> list[Row]:
    """Measure while the projector runs. It folds each load before the next one begins."""
    if shutil.which("wrk") is None:
        return [replace(row, skipped=NO_WRK) for row in _rows({})]
    ground = await grounds.of(WEB)
    await ground.database.rows(ground.statements.create_inserts)
    with ExitStack() as opened:
        opened.enter_context(running(ground, "projections", "follow"))
        servers = {
            server: opened.enter_context(_serving(ground, *server))
            for server in dict.fromkeys((case.server, case.workers) for case in CASES)
        }
        # Warm up: open connections, prepare statements, run the code once.
        for (server, _), (port, _) in servers.items():
            await Load(ground, port, FEW, WARM_UP_SECONDS, stores=server not in STORELESS).step()
        loads = {case: _load(ground, servers[case.server, case.workers][0], case) for case in CASES}
        found = await in_turns(ground.size.runs, {case.name: load.step for case, load in loads.items()})
        found |= {case.p99: Spread(tuple(load.p99s)) for case, load in loads.items()}
        found[MEMORY] = Spread((peak_memory_of_workers(servers[SERVICE, 1][1]),))
    return _rows(found)


def _serving(ground: Ground, server: str, workers: int) -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    if server == SERVICE:
        return serving(ground, "service", "http", workers=workers)
    return serving(ground, "bench.peers", server, workers=workers)


def _load(ground: Ground, port: int, case: Case) -> Load:
    return Load(ground, port, case.connections, ground.size.load_seconds, stores=case.server not in STORELESS)


def _rows(found: Mapping[str, Spread]) -> list[Row]:
    """Return the rows of the table; rows without samples are empty."""

    def rate(case: Case, against: str, peer: Case, bound: float) -> Row:
        what = f"POST of one event, durable, {case.load}"
        return Row(what, REQUESTS, found.get(case.name), against, found.get(peer.name), least_ratio(bound))

    rows = []
    for case, peer in PAIRS:
        row = rate(case, WITHOUT, peer, 0.45)
        p99 = Row(f"{row.what}, p99", MILLISECONDS, found.get(case.p99), WITHOUT, found.get(peer.p99))
        # Lower is better, so this means: at most 3 times the peer's p99.
        rows += [row, replace(p99, goal=least_ratio(1 / 3))]
    rows += [rate(Case(SERVICE), told, peer, bound) for peer, told, bound in PEERS]
    return [*rows, Row(MEMORY, MEGABYTES, found.get(MEMORY), goal=most(150))]


_runs = count()


class Load:
    """Posts to a server for some seconds in each step.

    p99s: the 99th percentile of the request time in each step, in ms. stores: whether the server stores the events.
    """

    def __init__(self, ground: Ground, port: int, connections: int, seconds: int, *, stores: bool) -> None:
        self.p99s: list[float] = []
        self._stores = stores
        self._ground = ground
        self._port = port
        self._connections = connections
        self._seconds = seconds

    async def step(self) -> float:
        """Return requests per second. Raises NotCounted when an answer is not 2xx, or an acknowledged event is lost."""
        await self._ground.wait_until_folded()
        before = await self._stored()
        loaded = await asyncio.to_thread(self._wrk, f"{next(_runs)}")
        if self._stores and (stored := await self._stored() - before) < loaded.requests:
            raise NotCounted(f"{loaded.requests:,} events were acknowledged, but only {stored:,} were stored")
        self.p99s.append(loaded.p99)
        return loaded.requests / loaded.seconds

    async def _stored(self) -> int:
        row = await self._ground.database.only(self._ground.statements.count_stored)
        return int(row["stored"])

    def _wrk(self, run: str) -> Loaded:
        options = ["-t1", f"-c{self._connections}", f"-d{self._seconds}s", "-s", str(SCRIPT)]
        url = f"http://127.0.0.1:{self._port}{PATH}"
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
        done = subprocess.run(
            ["wrk", *options, url, "--", run, moment],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=self._seconds + 30,
            check=False,
        )
        if done.returncode:
            raise NotCounted(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
        loaded = msgspec.json.decode(done.stdout.splitlines()[-1], type=Loaded)
        if loaded.errors:
            raise NotCounted(f"{loaded.errors} of {loaded.requests} requests failed")
        return loaded


class Loaded(msgspec.Struct):
    """The line that wrk prints at its end; see post.lua."""

    requests: int
    seconds: float
    p99: float
    errors: int
