"""Events with the current time, posted in batches at a steady pace."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection

import msgspec

from bench.batches import PATH, Told, as_sent
from bench.rows import NotCounted
from bench.web_data import event_of

EVENTS_PER_SECOND = 5_000
BATCH = 50
# With several connections, a slow answer does not delay the next batches.
CONNECTIONS = 4
# Active sessions for each event per second: a session sends 14 events within half an hour, as in the data set `web`.
SESSIONS = 1_800 // 14
ONE_MORE = 1 / 14
# How much later than planned the last answer may come.
LATE_SECONDS = 1.0


def post_steadily(port: int, seconds: int, seed: int, pace: int = EVENTS_PER_SECOND) -> int:
    """Post for `seconds`; return how many events were stored. A seed gives the same events except for their times.

    pace: events per second.

    Raises NotCounted when an event was not stored, or when the service does not keep the pace.
    """
    return BATCH * len(post_timed(port, seconds, seed, pace))


def post_timed(port: int, seconds: int, seed: int, pace: int, key: str | None = None) -> list[float]:
    """Post as post_steadily does; return how long each request took, in ms. key: a write key of the service."""
    senders = [Sender(port, first, seed, pace, key) for first in range(CONNECTIONS)]
    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        times = [taken for some in threads.map(lambda sender: sender.post(began, seconds), senders) for taken in some]
    took = time.monotonic() - began
    if took > seconds + LATE_SECONDS:
        raise NotCounted(f"{BATCH * len(times) / took:,.0f} events/s arrived, not {pace:,}")
    return times


class Sender:
    """Posts every CONNECTIONS-th batch, beginning with number `first`, on one connection."""

    def __init__(self, port: int, first: int, seed: int, pace: int, key: str | None = None) -> None:
        self._port = port
        self._headers = {"X-Write-Key": key} if key else {}
        self._first = first
        self._apart = BATCH / pace
        self._chance = random.Random(f"{seed} {first}")
        # The number of sessions that each slot has begun. When one ends, the next begins in the same slot.
        self._begun = [0] * (SESSIONS * pace // CONNECTIONS)

    def post(self, began: float, seconds: int) -> list[float]:
        """Post each batch at its planned time; return how long each took, in ms."""
        times = []
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            for number in range(self._first, round(seconds / self._apart), CONNECTIONS):
                time.sleep(max(began + number * self._apart - time.monotonic(), 0))
                batch = self._batch()
                started = time.perf_counter()
                connection.request("POST", PATH, batch, self._headers)
                answer = connection.getresponse()
                told = answer.read()
                times.append((time.perf_counter() - started) * 1_000)
                if answer.status != 200 or msgspec.json.decode(told, type=Told).stored != BATCH:
                    raise NotCounted(f"POST {PATH}: {answer.status} {told[:200]!r}")
        finally:
            connection.close()
        return times

    def _batch(self) -> bytes:
        return b"[" + b",".join(self._event() for _ in range(BATCH)) + b"]"

    def _event(self) -> bytes:
        place = self._chance.randrange(len(self._begun))
        self._begun[place] += self._chance.random() < ONE_MORE
        session = f"{place:08x}{self._first:04x}{self._begun[place]:04x}"
        user = f"user_{place % 20_000}" if place % 10 < 3 else None
        return as_sent(event_of(datetime.now(UTC), session, user, self._chance))
