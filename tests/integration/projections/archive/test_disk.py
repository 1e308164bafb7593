"""A disk of the archive that is full or read-only is told, costs nothing else, and mends itself. It is real."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from projections.archive import keeper as module
from projections.archive.keeper import Keeper
from service.http.health import readiness
from service.http.metrics import Metrics
from service.settings import load
from sql.database import Database
from tests.integration.projections.archive.test_writing import day_events
from tests.support.archive import DAY_START, QUIET, append_and_archive, archived, current, files_of, settle
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.sharded import appending
from tests.support.small_disk import SmallDisk, small_disk, why_not

pytestmark = pytest.mark.skipif((reason := why_not()) is not None, reason=reason or "")
FULL = "its disk has no room"
READ_ONLY = "its disk is read-only"


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    """Give a small disk for an archive."""
    with small_disk() as disk:
        yield disk


async def told(url: str, database: Database) -> tuple[list[str], dict[str, float]]:
    """Return why the service is degraded, and the metrics of the archive."""
    async with appending(url) as appender:
        answer = await readiness(database, appender, load({}))
        text = await Metrics().text(database, appender.admission)
    assert answer.status == 200
    lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if line.startswith("hourledger_archive_")]
    reasons: list[str] = json.loads(answer.body).get("degraded", [])
    return reasons, {name.removeprefix("hourledger_archive_"): float(value) for name, value in lines}


async def _steps(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the keeper do all it can, also what it leaves out for a while."""
    with monkeypatch.context() as patched:
        patched.setattr(module, "AGAIN_SECONDS", 0.0)
        while await keeper.step():
            pass


async def test_a_full_disk(
    database: Database,
    database_url: str,
    admin: asyncpg.Connection,
    disk: SmallDisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = disk.data / "archive"
    await append_and_archive(database, day_events(60, hours=2), archive)
    before = await current(admin)
    assert await append(database, [an_event(900, at=DAY_START + 5 * HOUR)], clock=QUIET) == {}
    await settle(database, QUIET)
    keeper = Keeper(database, archive, QUIET)
    with disk.filled():
        await _steps(keeper, monkeypatch)
        why, metrics = await told(database_url, database)
        (sentence,) = why
        assert sentence.startswith("the archive cannot be written since ")
        assert sentence.endswith(f": {FULL}; questions read the log instead")
        assert (metrics["failed_writes_total"], metrics["waiting_hours"], metrics["files"]) == (1, 1, 2)
        assert metrics["last_error_seconds"] > 0
        assert await current(admin) == before
        assert keeper.pause_after(0.1, idle=True) >= 5
    await _steps(keeper, monkeypatch)
    why, metrics = await told(database_url, database)
    assert (why, metrics["waiting_hours"], metrics["hours"], metrics["files"]) == ([], 0, 3, 3)
    assert len(await current(admin)) == 3


async def test_a_disk_that_becomes_full_while_it_writes(
    database: Database, admin: asyncpg.Connection, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is not known beforehand; PostgreSQL's rows, DuckDB's file or its name find none."""
    archive = disk.data / "archive"
    assert await append(database, day_events(2_000, hours=1), clock=QUIET) == {}
    await settle(database, QUIET)
    keeper = Keeper(database, archive, QUIET)
    archive.mkdir()
    for leave in (0, 8_192, 65_536, 300_000):
        with monkeypatch.context() as patched, disk.filled(leave):
            patched.setattr("projections.archive.writer.room_for", lambda _: 10**9)
            await _steps(keeper, monkeypatch)
        if await current(admin):
            break
        assert (await database.only(database.statements.read_archive_state))["why"] == FULL
        assert files_of(archive) == []
    await _steps(keeper, monkeypatch)
    assert list(await current(admin)) == [DAY_START]


async def test_a_read_only_disk(
    database: Database,
    database_url: str,
    admin: asyncpg.Connection,
    disk: SmallDisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = disk.data / "archive"
    await append_and_archive(database, day_events(60, hours=2), archive)
    later = QUIET + timedelta(hours=21)
    keeper = Keeper(database, archive, later)
    _remount(disk.folder, "ro")
    await _steps(keeper, monkeypatch)  # it would merge the day
    why, _ = await told(database_url, database)
    assert why[0].endswith(f": {READ_ONLY}; questions read the log instead")
    # What is there is still proven and read.
    assert len(await current(admin)) == 2
    _remount(disk.folder, "rw")
    await _steps(keeper, monkeypatch)
    assert (await told(database_url, database))[0] == []
    assert len(set((await current(admin)).values())) == 1


async def test_a_damaged_file_is_told(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(60, hours=2), tmp_path)
    file = next(iter((await current(admin)).values()))
    await admin.execute("update archive_files set damage = 'it is missing' where file = $1", file)
    why, metrics = await told(database_url, database)
    assert why == ["damaged: 1 file of the archive; make verify names them"]
    assert (metrics["damaged_files"], metrics["hours"], metrics["waiting_hours"]) == (1, 1, 1)
    await archived(database, tmp_path, QUIET)
    assert (await told(database_url, database))[0] == []


def _remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", folder], check=True, capture_output=True)
