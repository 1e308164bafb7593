"""Hostile events from one write key, far beyond its limit, beside the steady load of another key.

The flood is of batches whose every event has names, a session and a user of its own. It does not heed Retry-After. What
it costs others is the p99 of their POSTs; what it costs the log are the events that its key was allowed.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from multiprocessing import get_context
from uuid import uuid4

import msgspec

from bench.batches import PATH, Told
from bench.ground import WEB, Grounds, empty
from bench.pace import post_timed
from bench.processes import running, serving
from bench.rows import MILLISECONDS, NotCounted, Row, Spread, Unit, in_turns, least_ratio, most
from bench.web_data import SEED
from service.access.key_changes import create_key
from service.access.keys import Kind
from service.access.limits import MINUTE
from service.access.sites import DEFAULT_SITE

EVENTS = Unit("events", more_is_better=False)
# Events a minute of one key, and at once.
LIMIT = 60_000
# Events a second.
FLOOD = 2_800
STEADY = 1_000
BATCH = 20
CONNECTIONS = 4
# In the full size: 140,000 events.
SECONDS = 50
QUICK_SECONDS = 5
WARM_UP_SECONDS = 1
MOST_RUNS = 3
OK, TOO_MANY = 200, 429


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on a log of its own with the projector running, and verify it at the end."""
    seconds = SECONDS if grounds.size.load_seconds > 1 else QUICK_SECONDS
    stored: list[float] = []
    runs = min(grounds.size.runs, MOST_RUNS)
    async with empty(grounds.size, WEB) as ground:
        # Before the service starts, so that it knows them. Each flood has a key of its own, whose buckets are full.
        steady_key, *flood_keys = [await create_key(ground.database, Kind.WRITE, DEFAULT_SITE) for _ in range(1 + runs)]
        with (
            ProcessPoolExecutor(2, get_context("spawn")) as senders,
            running(ground, "projections", "follow"),
            serving(ground, "service", "http", settings={"HOURLEDGER_EVENTS_PER_KEY": str(LIMIT)}) as (port, _),
        ):
            loop = asyncio.get_running_loop()

            async def steady(seconds: int) -> float:
                times = await loop.run_in_executor(senders, post_timed, port, seconds, SEED, STEADY, steady_key)
                return statistics.quantiles(times, n=100)[98]

            async def alone() -> float:
                return await steady(seconds)

            async def beside() -> float:
                flood = loop.run_in_executor(senders, send_flood, port, seconds, flood_keys.pop())
                p99 = await steady(seconds)
                stored.append(await flood)
                return p99

            await steady(WARM_UP_SECONDS)
            found = await in_turns(runs, {"alone": alone, "beside": beside})
            await ground.wait_until_folded()
        await ground.verify()
    return _rows(seconds, found, stored)


def _rows(seconds: int, found: dict[str, Spread], stored: list[float]) -> list[Row]:
    sent = FLOOD * seconds
    allowed = LIMIT * (1 + seconds / MINUTE)
    under_way = BATCH * CONNECTIONS
    what = f"{sent:,} hostile events from one key in {seconds} s"
    p99 = f"POSTs of {STEADY:,} events/s with another key, p99, beside {what}"
    return [
        Row(
            p99,
            MILLISECONDS,
            found["beside"],
            "the same POSTs alone",
            found["alone"],
            least_ratio(1 / 2),
        ),
        Row(f"{what}: events stored", EVENTS, Spread(tuple(stored)), goal=most(round(allowed + under_way))),
    ]


def send_flood(port: int, seconds: int, key: str) -> float:
    """Send hostile batches at a steady pace, whatever is answered; return how many events were stored.

    Raises NotCounted when an answer is neither a 200 nor a 429.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return sum(threads.map(lambda first: _send(port, seconds, key, first, began), range(CONNECTIONS)))


def _send(port: int, seconds: int, key: str, first: int, began: float) -> int:
    stored = 0
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for number in range(first, FLOOD * seconds // BATCH, CONNECTIONS):
            time.sleep(max(began + number * BATCH / FLOOD - time.monotonic(), 0))
            connection.request("POST", PATH, _batch(), {"X-Write-Key": key})
            answer = connection.getresponse()
            told = answer.read()
            if answer.status == OK:
                stored += msgspec.json.decode(told, type=Told).stored
            elif answer.status != TOO_MANY:
                raise NotCounted(f"POST {PATH}: {answer.status} {told[:200]!r}")
    finally:
        connection.close()
    return stored


def _batch() -> bytes:
    return b"[" + b",".join(_hostile_event() for _ in range(BATCH)) + b"]"


def _hostile_event() -> bytes:
    mark = uuid4().hex
    return msgspec.json.encode(
        {
            "event_type": f"type_{mark}",
            "tool_name": f"tool_{mark}",
            "action": f"action_{mark}",
            "session_id": f"session_{mark}",
            "user_id": f"user_{mark}",
            "timestamp": datetime.now(UTC),
            "properties": {f"name_{mark}": mark, "risk_mode": mark},
        }
    )
