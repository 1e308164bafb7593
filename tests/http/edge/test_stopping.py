"""SIGTERM ends every command as Ctrl-C does, from its first line on; an embedded server never outlives it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import psutil
import pytest

from sql.embedded.folders import SOCKET_NAME
from tests.conftest import folder_for_servers
from tests.support.commands import SETTLED, check_nothing_is_left, command
from tests.support.waiting import wait_until

# Starts a command as process 1 of a world of its own, as a container does.
AS_FIRST = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture
def data() -> Iterator[Path]:
    """Give the data directory of an embedded server."""
    with folder_for_servers() as folder:
        yield folder / "data"


@pytest.mark.parametrize("number", [SIGTERM, SIGHUP, SIGINT])
def test_a_command_that_a_signal_ends_stops_its_server(data: Path, tmp_path: Path, number: int) -> None:
    pipe = tmp_path / "events.ndjson"
    os.mkfifo(pipe)  # the import waits for somebody who writes
    with command(data, "service", "import", pipe) as importing:
        wait_until((data / "run" / SOCKET_NAME).exists, "the server runs", SETTLED)
        importing.send_signal(number)
        _, errors = importing.communicate(timeout=SETTLED)
        assert importing.returncode not in (0, -number), errors
        assert "Traceback" not in errors
    check_nothing_is_left(data)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_as_process_1_sigterm_is_heard(data: Path) -> None:
    with command(data, "service", "serve", before=AS_FIRST) as outside:
        assert outside.stderr is not None
        assert any(line.startswith("hourledger: http") for line in outside.stderr)
        (first,) = psutil.Process(outside.pid).children()
        first.send_signal(SIGTERM)
        outside.communicate(timeout=SETTLED)
        assert outside.returncode == 0
    check_nothing_is_left(data)


def test_serve_can_be_ended_at_any_moment_of_its_start(data: Path) -> None:
    """The moments are shares of the time that a whole start takes here."""
    began = time.monotonic()
    with command(data, "service", "serve") as whole:
        assert whole.stderr is not None
        assert any(line.startswith("hourledger: http") for line in whole.stderr)
        took = time.monotonic() - began
        whole.send_signal(SIGTERM)
        whole.communicate(timeout=SETTLED)
    for share in (0.1, 0.3, 0.6):
        shutil.rmtree(data, ignore_errors=True)
        with command(data, "service", "serve") as cut:
            with pytest.raises(subprocess.TimeoutExpired):
                cut.wait(took * share)
            cut.send_signal(SIGTERM)
            cut.communicate(timeout=SETTLED)
        check_nothing_is_left(data)
