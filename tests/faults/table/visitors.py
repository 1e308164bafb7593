"""Visitors who take what they can get: silent connections, batches that never end, bodies that cost the most a byte.

Each fault is one of them, and beside each a new visitor sends an event, which must be stored soon.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count, cycle

from service.ingest.event import Event
from tests.conftest import RunningService
from tests.faults.table.crowds import try_under_load
from tests.faults.table.ground import Ground
from tests.http.support.connections import connections
from tests.support import plain_http
from tests.support.costly_bodies import refused_bodies

# More than two workers once took in all.
IDLE = 4_200
UNFINISHED = b"POST /e/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8388608\r\n\r\n[" + b" " * 4_194_304
SOON = 5.0


async def hold_idle_connections(ground: Ground) -> None:
    """Open connections that send nothing, and keep them."""
    await _hold(ground, IDLE // ground.trial.faults, b"")


async def hold_unfinished_batches(ground: Ground) -> None:
    """Send half of a batch over each of many connections, and keep them."""
    await _hold(ground, 1, UNFINISHED)


async def _hold(ground: Ground, connections_each: int, first: bytes) -> None:
    numbers = count()
    with ExitStack() as held:

        def hold(running: RunningService) -> None:
            held.enter_context(connections(running.url, connections_each, first))
            _visit(ground, running, next(numbers))

        await asyncio.to_thread(try_under_load, ground, ground.url, hold)


async def send_costly_bodies(ground: Ground) -> None:
    """Send bodies that are made to cost as much as possible."""
    bodies, numbers = cycle(refused_bodies()), count()

    def send(running: RunningService) -> None:
        with ThreadPoolExecutor(1) as beside:
            sending = beside.submit(_send, running, next(bodies))
            _visit(ground, running, next(numbers))
            sending.result()

    await asyncio.to_thread(try_under_load, ground, ground.url, send)


def _send(running: RunningService, body: bytes) -> None:
    headers = {"content-encoding": "gzip"}
    answer = plain_http.post(f"{running.url}/e/batch", content=body, headers=headers)
    if answer.is_success and answer.json()["stored"]:
        raise AssertionError(f"an event was stored that nobody counts: {answer.text[:200]}")


def _visit(ground: Ground, running: RunningService, number: int) -> None:
    """Send one event over a new connection."""
    event = Event(f"visit_{number}", f"visitor_{number}", None, "visited", None, None, None, True, datetime.now(UTC))
    sent = {name: getattr(event, name) for name in ("event_id", "event_type", "session_id")}
    sent["timestamp"] = event.timestamp.isoformat()
    plain_http.post(f"{running.url}/e", json=sent, timeout=SOON).raise_for_status()
    ground.ack([event])
