"""Requests over HTTP to the running service, one after another on one connection."""

from __future__ import annotations

import asyncio
import statistics
from contextlib import closing
from http.client import HTTPConnection
from time import perf_counter

from bench.rows import NotCounted, Spread

WARM_UP = 5
TIMEOUT_SECONDS = 30


class Reads:
    """Requests for one path. A sample is their median time in ms, over at least `requests` requests and `seconds`."""

    def __init__(self, port: int, path: str, requests: int, seconds: float = 0) -> None:
        self._port = port
        self._path = path
        self._requests = requests
        self._seconds = seconds
        self._p99s: list[float] = []

    @property
    def p99(self) -> Spread:
        """Return the p99 of each sample taken so far, in ms."""
        return Spread(tuple(self._p99s))

    async def step(self) -> float:
        """Take a sample: return its median in ms and keep its p99."""
        times = await asyncio.to_thread(self._times)
        self._p99s.append(statistics.quantiles(times, n=100)[98])
        return statistics.median(times)

    def _times(self) -> list[float]:
        times: list[float] = []
        began = perf_counter()
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)) as connection:
            while len(times) < self._requests + WARM_UP or perf_counter() - began < self._seconds:
                started = perf_counter()
                get(connection, self._path)
                times.append((perf_counter() - started) * 1000)
        return times[WARM_UP:]


def get(connection: HTTPConnection, path: str) -> bytes:
    """Return the body of an answer. Raises NotCounted when it is not 200."""
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise NotCounted(f"GET {path}: {answer.status} {body[:200]!r}")
    return body
