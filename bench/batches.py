"""Batches over HTTP compared to COPY of the same rows, and the import of a file compared to batches over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import islice
from time import perf_counter

import msgspec

from bench.copying import PEER, copying
from bench.ground import WEB, Ground, Grounds, Size, empty
from bench.processes import peak_of, running, serving
from bench.rows import EVENTS_PER_SECOND, MEGABYTES, NotCounted, Row, Spread, Step, in_turns, least_ratio, most
from service.ingest.event import Event

PATH = "/api/analytics/track/batch"
BATCH = 500
# Enough that one batch is decoded while another is committed.
CONNECTIONS = 4
# Bodies of the warm-up, which opens connections, plans statements and runs the code once.
WARM_UP = 20
# A sample of POSTs sends this fraction (1/5) of the events that the other benchmarks store. A file has all of them.
SHARE = 5
MOST_IMPORTS = 3


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on a log of its own with the projector running. It folds each load before the next one begins."""
    size = grounds.size
    bodies = _bodies(size)
    imports = min(size.runs, MOST_IMPORTS)
    posted = (WARM_UP + (size.runs + imports) * bodies) * BATCH
    events = WEB.events(posted + bodies * BATCH + imports * size.events, size.hours)
    async with empty(size, WEB) as ground, copying(ground) as peer:
        with running(ground, "projections", "follow"), serving(ground, "service", "http") as (port, _):
            load = Load(ground, events, port)

            async def copy() -> float:
                await ground.wait_until_folded()
                return await peer.step()

            await in_turns(1, {"post": load.post(WARM_UP), "copy": copy})
            posts = await in_turns(size.runs, {"post": load.post(bodies), "copy": copy})
            await load.importing(bodies * BATCH)()
            files = await in_turns(imports, {"post": load.post(bodies), "import": load.importing(size.events)})
            await ground.wait_until_folded()
        if await ground.verify() != load.sent:
            raise NotCounted(f"the log does not hold the {load.sent:,} events that were sent")
    return _rows(size, posts, files, load.peaks)


def _rows(size: Size, posts: dict[str, Spread], files: dict[str, Spread], peaks: list[float]) -> list[Row]:
    """Return the rows. peaks: of the import of as many events as a POST step sends, then of the large imports."""
    post = f"POST of {BATCH} events a body, durable, {CONNECTIONS} connections, 1 worker"
    some = f"import of {_bodies(size) * BATCH:,}"
    file = f"import of an NDJSON file of {size.events:,} events"
    peak_of_some, *peaks_of_large = peaks
    return [
        Row(post, EVENTS_PER_SECOND, posts["post"], PEER, posts["copy"], least_ratio(0.6, reached=0.45)),
        Row(f"{file}, from start to end", EVENTS_PER_SECOND, files["import"], post, files["post"], least_ratio(1)),
        Row(f"{file}, peak RSS", MEGABYTES, Spread(tuple(peaks_of_large)), some, Spread((peak_of_some,)), most(200)),
    ]


def _bodies(size: Size) -> int:
    """Return how many bodies a step of POSTs sends."""
    return max(size.events // SHARE // BATCH, 1)


class Load:
    """Sends events by HTTP or in a file. Each step sends the next ones and returns events stored per second.

    sent: how many events so far. peaks: peak memory of each import, in MB.
    """

    def __init__(self, ground: Ground, events: Iterator[Event], port: int) -> None:
        self.sent = 0
        self.peaks: list[float] = []
        self._ground = ground
        self._events = events
        self._port = port

    def post(self, bodies: int) -> Step:
        """Return a step that posts `bodies` batches, made before the clock starts."""

        async def step() -> float:
            await self._ground.wait_until_folded()
            made = [b"[" + b",".join(self._next(BATCH)) + b"]" for _ in range(bodies)]
            started = perf_counter()
            await asyncio.to_thread(self._post_all, made)
            return bodies * BATCH / (perf_counter() - started)

        return step

    def importing(self, events: int) -> Step:
        """Return a step that imports a file of `events` events, timed from the start of the process to its end."""

        async def step() -> float:
            await self._ground.wait_until_folded()
            file = self._ground.folder / "events.ndjson"
            with file.open("wb") as lines:
                lines.writelines(each + b"\n" for each in self._next(events))
            started = perf_counter()
            self.peaks.append(await peak_of(self._ground, "service", "import", "--", str(file)))
            return events / (perf_counter() - started)

        return step

    def _next(self, count: int) -> Iterator[bytes]:
        """Return the next `count` events as the JSON that senders write."""
        self.sent += count
        return map(as_sent, islice(self._events, count))

    def _post_all(self, bodies: list[bytes]) -> None:
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            for _ in threads.map(self._post, (bodies[first::CONNECTIONS] for first in range(CONNECTIONS))):
                pass

    def _post(self, bodies: list[bytes]) -> None:
        """Post bodies one after the other on one connection. Raises NotCounted unless every event is stored."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            for body in bodies:
                connection.request("POST", PATH, body)
                answer = connection.getresponse()
                told = answer.read()
                if answer.status != 200 or msgspec.json.decode(told, type=Told).stored != BATCH:
                    raise NotCounted(f"POST {PATH}: {answer.status} {told[:200]!r}")
        finally:
            connection.close()


class Told(msgspec.Struct):
    """The part of a batch's answer that the benchmarks read."""

    stored: int


def as_sent(event: Event) -> bytes:
    """Return an event as the JSON that a sender writes."""
    properties = msgspec.Raw((event.properties or "{}").encode())
    return msgspec.json.encode(event._asdict() | {"properties": properties})
