"""Children that do not start, or do not end: an asker hears of them in time, and by name."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import psutil
import pytest

import service.archive.engine
from service.archive import process
from service.archive.engine import Engine
from service.archive.scratch import Scratch
from service.errors import DiskFull, ReadInterrupted, ReadTooSlow
from tests.integration.archive.conftest import within
from tests.support.archive_questions import Told

pytestmark = pytest.mark.versions("newest")

TOLD = Told()


async def test_the_start_of_a_child_counts_as_time_of_its_question(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    engine = Engine("postgresql://127.0.0.1/none", tmp_path, tmp_path, seconds=1, command=command)
    began = monotonic()
    with pytest.raises(ReadTooSlow, match="longer than 1 s"):
        await engine.ask(TOLD)
    assert monotonic() - began < 15
    await engine.close()


@pytest.fixture
def unkillable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let no process be killed until the test ends, as if it waited for a disk. Give the pids to kill then."""
    pids: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "kill", lambda _: None)
        patched.setattr(process, "KILL_SECONDS", 0.1)
        patched.setattr(service.archive.engine, "STOP_SECONDS", 0.1)
        patched.setattr(service.archive.engine, "MOST_STUCK", 1)
        yield pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_a_process_that_cannot_be_ended_gives_its_place_back(engine: Engine, unkillable: list[int]) -> None:
    for _ in range(2):
        pid = int((await engine.ask(TOLD)).rows[0]["pid"])
        unkillable.append(pid)
        if len(unkillable) == 1:
            os.kill(pid, signal.SIGSTOP)
            with within(engine, 1), pytest.raises(ReadTooSlow):
                await engine.ask(TOLD)
    assert len(set(unkillable)) == 2
    while engine._settling:
        await asyncio.gather(*engine._settling)
    os.kill(unkillable[1], signal.SIGTERM)
    await asyncio.to_thread(psutil.Process(unkillable[1]).wait, 10)
    # The place is there, but too many processes hang to start another one.
    with pytest.raises(ReadInterrupted, match="1 processes that read for questions hang"):
        await engine.ask(TOLD)
    os.kill(unkillable[0], signal.SIGKILL)
    (stuck,) = engine._stuck
    await asyncio.to_thread(stuck.process.wait)


async def test_a_child_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    engine = Engine("postgresql://127.0.0.1/none", tmp_path, tmp_path, command=("/no/such/program",))
    with pytest.raises(ReadInterrupted, match="No such file"):
        await engine.ask(TOLD)
    descriptors = psutil.Process().num_fds()
    for _ in range(3):
        with pytest.raises(ReadInterrupted):
            await engine.ask(TOLD)
    assert psutil.Process().num_fds() == descriptors
    assert folders_in(tmp_path) == []
    await engine.close()


def folders_in(scratch: Path) -> list[Path]:
    (folder,) = scratch.iterdir()
    return [each for each in folder.iterdir() if each.is_dir()]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EROFS, ReadInterrupted),
        (errno.EAGAIN, ReadInterrupted),
        (errno.ENOMEM, ReadInterrupted),
    ],
)
async def test_what_the_system_refuses_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def refuse(_: Scratch) -> Path:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Scratch, "new_folder", refuse)
    engine = Engine("postgresql://127.0.0.1/none", tmp_path, tmp_path)
    for _ in range(3):  # more often than there are places
        with pytest.raises(kind):
            await engine.ask(TOLD)
    await engine.close()
