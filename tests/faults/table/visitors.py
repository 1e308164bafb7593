"""Visitors who take what they can get: silent connections, batches that never end, bodies that cost the most a byte."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from itertools import cycle

import httpx

from tests.conftest import RunningService
from tests.faults.table.crowds import try_under_load
from tests.faults.table.ground import Ground
from tests.http.support.connections import connections
from tests.support.costly_bodies import refused_bodies

# More than the server once took in all.
IDLE = 2_100
UNFINISHED = b"POST /e/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8388608\r\n\r\n[" + b" " * 4_194_304


async def hold_idle_connections(ground: Ground) -> None:
    """Open connections that send nothing, beside a load, and keep them."""
    await _hold(ground, IDLE // ground.trial.faults, b"")


async def hold_unfinished_batches(ground: Ground) -> None:
    """Send half of a batch over each of many connections, beside a load, and keep them."""
    await _hold(ground, 1, UNFINISHED)


async def _hold(ground: Ground, connections_each: int, first: bytes) -> None:
    with ExitStack() as held:

        def hold(running: RunningService) -> None:
            held.enter_context(connections(running.url, connections_each, first))

        await asyncio.to_thread(try_under_load, ground, ground.url, hold)


async def send_costly_bodies(ground: Ground) -> None:
    """Send bodies that are made to cost as much as possible, beside a load."""
    bodies = cycle(refused_bodies())

    def send(running: RunningService) -> None:
        answer = httpx.post(
            f"{running.url}/e/batch",
            content=next(bodies),
            headers={"content-encoding": "gzip"},
            timeout=60,
            trust_env=False,
        )
        if answer.is_success and answer.json()["stored"]:
            raise AssertionError(f"an event was stored that nobody counts: {answer.text[:200]}")

    await asyncio.to_thread(try_under_load, ground, ground.url, send)
