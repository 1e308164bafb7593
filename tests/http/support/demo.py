"""A demo as a process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import psutil

from sql.embedded.folders import SOCKET_NAME
from tests.conftest import free_port
from tests.http.support.site import Json
from tests.support import plain_http
from tests.support.environment import without_settings
from tests.support.waiting import wait_until

DONE = re.compile(r"hourledger: http://127\.0\.0\.1:\d+ \(demo, [\d,]+ events of 30 days\)\n")


@dataclass
class Demo:
    """A demo that runs or has ended."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    output: Path
    environment: dict[str, str]

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, pattern: str | re.Pattern[str]) -> None:
        wait_until(
            self.said,
            f"it says {pattern}",
            holds=lambda said: self.process.poll() is not None or re.search(pattern, said),
        )
        assert re.search(pattern, self.said()), self.said()

    def get(self, path: str, **query: object) -> Json:
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = plain_http.get(url, params={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @contextmanager
    def busier(self, events: int) -> Iterator[None]:
        """Store the live events of a demo with so many events during the block."""
        command = [sys.executable, "-m", "service", "demo-trickle", f"--events={events}"]
        command += ["--seed=1", "--days=30", "--end=2026-11-24T14:20Z"]
        url = f"postgresql://hourledger@/hourledger?host={self.data}/run"
        with subprocess.Popen(command, env=self.environment | {"DATABASE_URL": url}) as busy:
            try:
                yield
            finally:
                busy.terminate()

    def processes(self) -> list[psutil.Process]:
        """Return all processes of the demo: its descendants, and the server of its data."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        return [*started, *processes_in(self.data)]

    def stop(self, number: int = SIGINT) -> None:
        """Stop the demo; assert that no process is left."""
        processes = self.processes()
        self.process.send_signal(number)
        assert self.process.wait(30) == 0, self.said()
        said = self.said()
        assert said.endswith("hourledger: stopped\n")
        assert "Traceback" not in said
        assert "Aborted" not in said
        psutil.wait_procs(processes, timeout=10)
        assert [each for each in processes if runs(each)] == []
        assert processes_in(self.data) == []
        assert not (self.data / "run" / SOCKET_NAME).exists()


def runs(process: psutil.Process) -> bool:
    """Tell whether a process has not ended. One that has ended stays visible until its parent, or init, collects it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def processes_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in a folder, as the server of a data directory does."""
    return [each for each in psutil.process_iter() if works_in(each, folder)]


def works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


@contextmanager
def started_demo(folder: Path, *options: str, **environment: str) -> Iterator[Demo]:
    """Run a demo during the block; stop it at the end if it still runs."""
    port = free_port()
    data, output = folder / "demo", folder / f"output-{port}.txt"
    settings = without_settings() | {"HOURLEDGER_PORT": str(port), "HOURLEDGER_DATA_DIR": str(data)} | environment
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "demo", *options],
            env=settings,
            stdout=stream,
            stderr=stream,
        )
        try:
            yield Demo(process, port, data, output, settings)
        finally:
            process.terminate()
            process.wait(60)
