"""Durable single-event POSTs under wrk, against one INSERT per request, and against no database at all."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from bench.ground import WEB, Ground, Grounds
from bench.peers import PATH, decode_only, one_append, one_insert
from bench.processes import peak_memory_of_workers, running, serving
from bench.rows import MEGABYTES, REQUESTS_PER_SECOND, NotCounted, Row, Spread, Step, in_turns, least_ratio, most

CONNECTIONS = 64
WARM_UP_SECONDS = 1
SCRIPT = Path(__file__).with_name("post.lua")
WHAT = f"POST of one event, durable, {CONNECTIONS} connections, 1 worker"
MEMORY = "HTTP worker after that load, peak RSS"
# Peers of the route, and at least how many times as many requests it should answer.
PEERS: tuple[tuple[Callable[[], object], str, float], ...] = (
    (one_append, "same service, one append (one transaction) per request", 4),
    (one_insert, "same service, one plain INSERT per request, no receipts", 4),
    (decode_only, "@asgi route that only decodes and answers", 0.35),
)


async def measure(grounds: Grounds) -> list[Row]:
    """Measure with the projector running; it has folded what a load brought before the next one begins."""
    ground = await grounds.of(WEB)
    if shutil.which("wrk") is None:
        missing = "wrk is not on PATH; on Debian and Ubuntu: apt-get install wrk"
        return [
            *(
                Row(WHAT, REQUESTS_PER_SECOND, peer=told, goal=least_ratio(bound), skipped=missing)
                for _, told, bound in PEERS
            ),
            Row(MEMORY, MEGABYTES, goal=most(150), skipped=missing),
        ]
    await ground.database.rows(ground.statements.create_inserts)
    with ExitStack() as opened:
        opened.enter_context(running(ground, "projections", "follow"))
        port, server = opened.enter_context(serving(ground, "service", "http"))
        ports = {"service": port}
        for peer, _, _ in PEERS:
            ports[peer.__name__], _ = opened.enter_context(serving(ground, "bench.peers", peer.__name__))
        # Connections opened, statements prepared, code warm.
        await in_turns(1, {name: _load(ground, port, WARM_UP_SECONDS) for name, port in ports.items()})
        found = await in_turns(
            ground.size.runs, {name: _load(ground, port, ground.size.load_seconds) for name, port in ports.items()}
        )
        memory = Spread((peak_memory_of_workers(server),))
    return [
        *(
            Row(WHAT, REQUESTS_PER_SECOND, found["service"], told, found[peer.__name__], least_ratio(bound))
            for peer, told, bound in PEERS
        ),
        Row(MEMORY, MEGABYTES, memory, goal=most(150)),
    ]


_runs = count()


def _load(ground: Ground, port: int, seconds: int) -> Step:
    """Return a step that posts for some seconds: requests answered with 2xx per second."""

    async def step() -> float:
        await ground.wait_until_folded()
        loaded = await asyncio.to_thread(_wrk, port, seconds, f"{next(_runs)}")
        return loaded.requests / loaded.seconds

    return step


class Loaded(msgspec.Struct):
    """What wrk says at its end; see post.lua."""

    requests: int
    seconds: float
    errors: int


def _wrk(port: int, seconds: int, run: str) -> Loaded:
    url = f"http://127.0.0.1:{port}{PATH}"
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", SCRIPT, url, "--", run, moment],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )
    if done.returncode:
        raise NotCounted(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
    loaded = msgspec.json.decode(done.stdout.splitlines()[-1], type=Loaded)
    if loaded.errors:
        raise NotCounted(f"{loaded.errors} of {loaded.requests} requests failed")
    return loaded
