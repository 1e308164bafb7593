"""Kills parts of the running service under load: every acked event is there after the restart."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import asyncpg
import httpx
import psutil
import pytest

from sql.embedded import use
from tests.conftest import RunningService, folder_for_servers, running_service, wait_until_ready

SENDERS = 16
ACKS_BETWEEN_KILLS = 200
KILLS = 2


@dataclass
class Load:
    """Senders that keep posting events, one after another each, and repeat what was not acked until it is."""

    url: str
    acked: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    stop: Flag = field(default_factory=Flag)

    async def send(self) -> None:
        """Run all senders until `stop`, then until each has its last ack."""
        async with httpx.AsyncClient(base_url=self.url, timeout=10) as client:
            await asyncio.gather(*(self._send(client, sender) for sender in range(SENDERS)))

    async def _send(self, client: httpx.AsyncClient, sender: int) -> None:
        number = 0
        while not self.stop.is_set():
            await self._send_until_acked(client, f"evt_{sender}_{number}", f"session_{sender}")
            number += 1

    async def _send_until_acked(self, client: httpx.AsyncClient, event_id: str, session: str) -> None:
        moment = datetime.now(UTC).isoformat()
        event = {"event_id": event_id, "event_type": "t", "session_id": session, "timestamp": moment}
        while True:
            try:
                answer = await client.post("/e", json=event)
            except httpx.TransportError:
                continue
            if answer.status_code == httpx.codes.OK:
                self.acked.add(event_id)
                return
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self.refused.append(answer.text)
                return
            assert answer.headers["retry-after"]
            await asyncio.sleep(0.01)  # far less than Retry-After asks for: the service has to bear it

    def wait_for(self, more: int) -> None:
        """Return when `more` events were acked; fail when that takes a minute."""
        goal = len(self.acked) + more
        waited = Flag()
        for _ in range(6000):
            if len(self.acked) >= goal:
                return
            waited.wait(0.01)
        pytest.fail(f"only {len(self.acked)} of {goal} events were acked")


@contextmanager
def loaded(running: RunningService) -> Iterator[Load]:
    """Give a load that runs beside; end it when left."""
    load = Load(running.url)
    thread = Thread(target=lambda: asyncio.run(load.send()))
    thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        thread.join()


def children(running: RunningService, *words: str) -> list[psutil.Process]:
    """Return the service's processes whose command line holds the words."""
    processes = psutil.Process(running.process.pid).children(recursive=True)
    return [process for process in processes if all(word in process.cmdline() for word in words)]


def one(running: RunningService, *words: str) -> psutil.Process:
    """Return the part whose command line holds the words, waiting for one that is just being started again."""
    waited = Flag()
    for _ in range(3000):
        found = [process for process in children(running, *words) if process.ppid() == running.process.pid]
        if found:
            return found[0]
        waited.wait(0.01)
    pytest.fail(f"no process {words} for 30 s")


def kill_worker(running: RunningService, _: Path) -> None:
    for worker in one(running, "http").children():
        worker.kill()


def kill_http_server(running: RunningService, _: Path) -> None:
    one(running, "http").kill()


def kill_projector(running: RunningService, _: Path) -> None:
    one(running, "follow").kill()


def kill_postgres(_: RunningService, data: Path) -> None:
    postmaster_pid(data).kill()


def postmaster_pid(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgresql-18" / "postmaster.pid").read_text().split()[0]))


@pytest.mark.parametrize("kill", [kill_worker, kill_http_server, kill_projector, kill_postgres])
def test_every_acked_event_survives_a_killed_part(kill: Callable[[RunningService, Path], None], tmp_path: Path) -> None:
    with folder_for_servers() as folder, running_service(folder) as running:
        with loaded(running) as load:
            for _ in range(KILLS):
                load.wait_for(ACKS_BETWEEN_KILLS)
                kill(running, folder / "data")
            load.wait_for(ACKS_BETWEEN_KILLS)
        assert load.refused == []
        wait_until_ready(running)
        assert_each_acked_event_is_stored_once(folder / "data", load.acked)
        assert verify(folder / "data")["ok"]


def test_every_acked_event_survives_a_kill_of_everything() -> None:
    with folder_for_servers() as folder, running_service(folder) as running, loaded(running) as load:
        load.wait_for(ACKS_BETWEEN_KILLS)
        everything = [postmaster_pid(folder / "data"), *children(running), psutil.Process(running.process.pid)]
        load.stop.set()
        for process in everything:
            process.kill()
        acked = set(load.acked)
        restarted = running_service(folder, port=int(running.url.rpartition(":")[2]))
        with restarted as again:
            # The senders get their last acks from the service that came after.
            wait_until_ready(again)
            assert_each_acked_event_is_stored_once(folder / "data", acked, or_more=True)
            assert verify(folder / "data")["ok"]


def assert_each_acked_event_is_stored_once(data: Path, acked: set[str], *, or_more: bool = False) -> None:
    async def stored(url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            return [row["event_id"] for row in await connection.fetch("select event_id from events")]
        finally:
            await connection.close()

    with use(data) as embedded:
        ids = asyncio.run(stored(embedded.url))
    assert len(ids) == len(set(ids))
    assert acked <= set(ids) if or_more else acked == set(ids)


def verify(data: Path) -> dict[str, object]:
    """Run the command; return its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "projections", "verify", "--json"],
        env={"HOURLEDGER_DATA_DIR": str(data), "PATH": ""},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
