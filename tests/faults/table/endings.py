"""SIGTERM to the service, to its parts and to commands, at random moments. No server may stay without an owner."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGTERM
from subprocess import TimeoutExpired
from time import monotonic

import psutil

from service.ingest.event import Event
from sql.database import Database
from sql.embedded.share import use
from tests.conftest import RunningService, folder_for_servers, free_port, running_service
from tests.faults.table.ground import SECONDS, Ground
from tests.faults.table.load import Load, loaded, one
from tests.support.commands import SETTLED, check_nothing_is_left, command
from tests.support.sent import as_sent
from tests.support.waiting import wait_until

ACKS_BETWEEN = 50
# Longer than Load's usual pause, because its senders find no service most of the time.
PAUSE = 0.2
PARTS = ("http", "worker", "follow")


async def end_processes(ground: Ground) -> None:
    """End processes that have an embedded server of their own, while senders send to the service."""
    folder = ground.opened.enter_context(folder_for_servers())
    imported = _write(ground, folder / "events.ndjson")
    acked = await asyncio.to_thread(Endings(ground, folder, imported).run)
    ground.server = ground.opened.enter_context(use(folder / "data"))
    await ground.database.close()
    ground.url = ground.server.url
    ground.database = Database(ground.url, statement_seconds=SECONDS)
    ground.ack(acked)


def _write(ground: Ground, file: Path) -> Path:
    """Write a file to import. Each of its events is acked once an import has reached the end."""
    lines = []
    for _ in range(4):
        events = ground.events_of(ground.next_hour())
        lines += [as_sent(event) + b"\n" for event in events]
        ground.ack(events)
    file.write_bytes(b"".join(lines))
    return file


@dataclass
class Endings:
    """The place of these faults: a folder with the data directory of all processes, and a file to import."""

    ground: Ground
    folder: Path
    imported: Path
    port: int = field(default_factory=free_port)
    seconds: float = 0.0

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self) -> list[Event]:
        """Try the faults, one round after another; return the events that senders got acks for."""
        began = monotonic()
        with self._running():
            self.seconds = monotonic() - began
        with ExitStack() as last:
            with loaded(f"http://127.0.0.1:{self.port}", PAUSE) as load:
                for number in count():
                    if self.ground.row.faults >= self.ground.trial.faults:
                        break
                    self._try_round(load, number)
                last.enter_context(self._running())
                load.wait_for(ACKS_BETWEEN)
            if load.refused:
                raise AssertionError(f"events were refused: {load.refused[:3]}")
        with command(self.data, "service", "import", self.imported) as importing:
            _, errors = importing.communicate(timeout=SETTLED)
            if importing.returncode:
                raise AssertionError(f"the import did not reach the end: {errors}")
        check_nothing_is_left(self.data)
        return list(load.acked.values())

    def _running(self) -> AbstractContextManager[RunningService]:
        return running_service(self.folder, port=self.port)

    def _try_round(self, load: Load, number: int) -> None:
        """End a command alone, a service that starts, each part of a service, a command beside it, and the service."""
        commands = self._commands(number)
        self._end(*commands[number % len(commands)])
        check_nothing_is_left(self.data)
        self._end("service", "serve")
        check_nothing_is_left(self.data)
        with self._running() as running:
            for part in PARTS:
                load.wait_for(ACKS_BETWEEN)
                _part(running, part).terminate()
                self.ground.row.faults += 1
            self._end(*commands[(number + 1) % len(commands)])
            load.wait_for(ACKS_BETWEEN)
        self.ground.row.faults += 1  # running_service ends it by SIGTERM
        check_nothing_is_left(self.data)

    def _commands(self, number: int) -> list[tuple[str | Path, ...]]:
        return [
            ("projections", "verify"),
            ("service", "import", self.imported),
            ("projections", "rebuild"),
            ("service", "backup", self.folder / f"{number}.dump"),
            ("service", "export", self.folder / f"{number}.csv"),
            ("projections", "retention"),
            ("service", "migrate"),
        ]

    def _end(self, *words: str | Path) -> None:
        """Start a command and send it SIGTERM at a random moment of its start or work; it counts unless it has ended.

        Early moments are more likely, because most commands take less than a service takes to start.
        """
        with command(self.data, *words) as process:
            try:
                process.wait(self.ground.chance.random() ** 2 * self.seconds)
            except TimeoutExpired:
                process.send_signal(SIGTERM)
                self.ground.row.faults += 1
            _, errors = process.communicate(timeout=SETTLED)
        if "Traceback" in errors:
            raise AssertionError(f"{words} ended with {errors}")


def _part(running: RunningService, name: str) -> psutil.Process:
    """Return the projector, the HTTP server, or one of its workers."""
    if name != "worker":
        return one(running, name)
    return wait_until(lambda: one(running, "http").children(), "a worker runs")[-1]
