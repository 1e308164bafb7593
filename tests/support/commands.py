"""Commands as processes on an embedded server of their own, to be ended by signals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from operator import not_
from pathlib import Path

from sql.embedded.folders import SOCKET_NAME
from tests.conftest import free_port
from tests.http.support.demo import processes_in
from tests.support.environment import without_settings
from tests.support.waiting import wait_until

SETTLED = 60


@contextmanager
def command(data: Path, *words: str | Path, before: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m` with some words on an embedded server during the block."""
    environment = {"HOURLEDGER_DATA_DIR": str(data), "HOURLEDGER_PORT": str(free_port())}
    process = subprocess.Popen(
        [*before, sys.executable, "-m", *words],
        env=without_settings() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def check_nothing_is_left(data: Path) -> None:
    """Wait until no process of the embedded server runs, and check that its socket is gone."""
    wait_until(lambda: processes_in(data), "the server is gone", SETTLED, holds=not_)
    assert not (data / "run" / SOCKET_NAME).exists()
