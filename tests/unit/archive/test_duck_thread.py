"""DuckDB in a thread: it can be interrupted at any moment, and rests."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from threading import Event

import pytest

from service.archive import checked_files
from service.archive.checked_files import CheckedFiles, Stopped
from service.archive.duck_thread import DuckThread
from sql.archive.files import file_name
from tests.support.log import NOW

ENDLESS = "select count(*) from range(1000000000000000) as a where hash(a.range) = 0"


@pytest.mark.parametrize("seconds", [0, 0.05, 0.3])
async def test_a_statement_ends_when_it_is_cancelled(tmp_path: Path, seconds: float) -> None:
    thread = DuckThread(tmp_path)
    running = asyncio.create_task(thread.run(lambda: thread.connection.sql(ENDLESS).fetchall()))
    await asyncio.wait({running}, timeout=seconds)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(30):
            await running
    assert await thread.run(lambda: thread.connection.sql("select 1").fetchall()) == [(1,)]
    thread.close()


async def test_it_rests_and_goes_on(tmp_path: Path) -> None:
    thread = DuckThread(tmp_path)
    first = thread.connection
    thread.rest()
    assert thread.connection is not first
    assert await thread.run(lambda: thread.connection.sql("select 2").fetchall()) == [(2,)]
    thread.close()


def test_a_check_of_a_file_can_be_stopped(tmp_path: Path) -> None:
    stopped = Event()
    files = CheckedFiles(tmp_path, stopped)
    name = file_name(0, NOW, day=False, digest="0" * 64)
    files.place(name).parent.mkdir(parents=True)
    files.place(name).write_bytes(b"content")
    stopped.set()
    with pytest.raises(Stopped):
        files.wrong([name])
    stopped.clear()
    assert files.wrong([name]) == {name}


class StopsAfter(Event):
    """Is set after having been asked some times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def is_set(self) -> bool:
        self.times -= 1
        return self.times < 0


@pytest.mark.parametrize("change", [False, True])
def test_a_check_that_was_stopped_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, change: bool
) -> None:
    monkeypatch.setattr(checked_files, "CHUNK_BYTES", 10)
    content = bytes(range(95))
    other = content[::-1]
    name = file_name(0, NOW, day=False, digest=hashlib.sha256(other if change else content).hexdigest())
    stopped = StopsAfter(4)
    files = CheckedFiles(tmp_path, stopped)
    files.place(name).parent.mkdir(parents=True)
    files.place(name).write_bytes(content)
    for times in (4, 4):
        stopped.times = times
        with pytest.raises(Stopped):
            files.wrong([name])
    if change:  # what was read before no longer counts
        files.place(name).unlink()
        files.place(name).write_bytes(other)
    stopped.times = 10 if change else 2
    assert files.wrong([name]) == set()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "site=default/day=2026-11-29/x.parquet", ""])
def test_a_name_that_leads_elsewhere_is_wrong(tmp_path: Path, name: str) -> None:
    files = CheckedFiles(tmp_path, Event())
    assert files.wrong([name]) == {name}
    assert files.changed([name])
