"""Put a load of events on the running service, and find and kill its processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import httpx
import psutil

from service.ingest.event import Event
from tests.conftest import RunningService, words_of
from tests.support import plain_http
from tests.support.waiting import wait_until

SENDERS = 16
# Far less than Retry-After asks for, because the service must cope with that; none at all would slow its restart.
PAUSE = 0.01


@dataclass
class Load:
    """Senders that each post one event after another, and repeat an event after `pause` seconds until it is acked.

    abandon: ends them at once, because a test has failed and no ack may ever come.
    """

    url: str
    pause: float = PAUSE
    acked: dict[str, Event] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    stop: Flag = field(default_factory=Flag)
    abandon: Flag = field(default_factory=Flag)

    async def send(self) -> None:
        """Run all senders until `stop`, then until each has its last ack."""
        async with plain_http.new_async_client(self.url) as client:
            await asyncio.gather(*(self._send(client, sender) for sender in range(SENDERS)))

    async def _send(self, client: httpx.AsyncClient, sender: int) -> None:
        number = 0
        while not self.stop.is_set():
            name, now = f"evt_{sender}_{number}", datetime.now(UTC)
            await self._send_until_acked(
                client, Event(name, f"session_{sender}", None, "t", None, None, None, True, now)
            )
            number += 1

    async def _send_until_acked(self, client: httpx.AsyncClient, event: Event) -> None:
        sent = {
            "event_id": event.event_id,
            "event_type": event.event_type,
            "session_id": event.session_id,
            "timestamp": event.timestamp.isoformat(),
        }
        while not self.abandon.is_set():
            try:
                answer = await client.post("/e", json=sent)
            except httpx.TransportError:
                await asyncio.sleep(self.pause)
                continue
            if answer.status_code == httpx.codes.OK:
                self.acked[event.event_id] = event
                return
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self.refused.append(answer.text)
                return
            assert answer.headers["retry-after"]
            await asyncio.sleep(self.pause)

    def wait_for(self, more: int) -> None:
        """Return once `more` further events are acked; fail after two minutes."""
        goal = len(self.acked) + more
        wait_until(lambda: len(self.acked), f"{goal} events are acked", 120, holds=lambda acked: acked >= goal)


@contextmanager
def loaded(url: str, pause: float = PAUSE) -> Iterator[Load]:
    """Run a load on a service during the block."""
    load = Load(url, pause)
    thread = Thread(target=lambda: asyncio.run(load.send()))
    thread.start()
    try:
        yield load
    except BaseException:
        load.abandon.set()
        raise
    finally:
        load.stop.set()
        thread.join()


@contextmanager
def reading(running: RunningService) -> Iterator[list[int]]:
    """Ask for rollups over and over during the block; give the statuses of the answers so far."""
    told: list[int] = []
    stop = Flag()

    def read() -> None:
        with running.client() as client:
            while not stop.is_set():
                told.append(client.get("/api/analytics/rollups?hours=24").status_code)
                stop.wait(PAUSE)

    thread = Thread(target=read)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()


def children(running: RunningService, *words: str) -> list[psutil.Process]:
    """Return the service's processes whose command line holds the words."""
    processes = psutil.Process(running.process.pid).children(recursive=True)
    return [process for process in processes if set(words) <= set(words_of(process))]


def kill(process: psutil.Process) -> None:
    """Kill a process that may be ending by itself."""
    with suppress(psutil.NoSuchProcess):
        process.kill()


def one(running: RunningService, *words: str) -> psutil.Process:
    """Return the part whose command line holds the words; wait if it is just being restarted."""
    return wait_until(
        lambda: [process for process in children(running, *words) if process.ppid() == running.process.pid],
        f"a process with the words {words} runs",
        60,
    )[0]


def kill_workers(running: RunningService) -> None:
    """Kill all processes that answer requests."""
    for worker in one(running, "http").children():
        kill(worker)


def postmaster_of(data: Path) -> psutil.Process:
    """Return the embedded PostgreSQL of a data folder."""
    return psutil.Process(int((data / "postgresql-18" / "postmaster.pid").read_text().split()[0]))
