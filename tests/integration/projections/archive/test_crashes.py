"""A process that ends at any step leaves the archive as it was, and garbage that later passes remove."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from projections.archive import steps
from projections.archive.catalog import record_hours
from projections.archive.cleaning import clean
from projections.archive.keeper import Keeper
from sql.archive.files import WRITING
from sql.database import Database
from tests.integration.projections.archive.test_writing import LATER, STORED, day_events
from tests.support.archive import (
    DAY_START,
    QUIET,
    append_and_archive,
    archived,
    current,
    events_in_log,
    files_of,
    rows_of,
    settle,
)
from tests.support.log import an_event, append
from tests.support.oracle import HOUR

IN_CATALOG = "select file from archive_files order by file"
NOW = timedelta(0)


class Killed(BaseException):
    """Stands for the end of the process."""


@contextmanager
def killed_at(step: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what runs in the block at a step."""

    def at(reached: str) -> None:
        if reached == step:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(steps, "_at", at)
        try:
            yield
        except Killed:
            return
    pytest.fail(f"it was not reached that {step}")


async def cleaned(database: Database, admin: asyncpg.Connection, archive: Path) -> None:
    """Clean until nothing is left to do; then the files are those of the catalog, and each has hours."""
    for _ in range(3):
        await clean(database, archive, patience=NOW)
    assert files_of(archive) == sorted(set((await current(admin)).values()))
    assert files_of(archive) == [row["file"] for row in await admin.fetch(IN_CATALOG)]


async def check(database: Database, admin: asyncpg.Connection, archive: Path, hours: int) -> None:
    """Check that every hour is current, that files hold the log, and that nothing is left over."""
    files = await current(admin)
    assert len(files) == hours
    found = [row for file in set(files.values()) for row in rows_of(archive, file, STORED)]
    assert sorted(found) == sorted(await events_in_log(admin))
    await cleaned(database, admin, archive)


def _leave_as_killed(archive: Path) -> None:
    """Put a folder there as a killed writer leaves it, because an exception removes it."""
    left = archive / WRITING / "left"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "file.parquet").write_text("part of a file")


@pytest.mark.parametrize("step", steps.WRITE_STEPS)
async def test_killed_while_an_hour_is_written(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    assert await append(database, day_events(60, hours=2), clock=QUIET) == {}
    await settle(database, QUIET)
    with killed_at(step, monkeypatch):
        await Keeper(database, tmp_path, QUIET).step()
    _leave_as_killed(tmp_path)
    assert set((await current(admin)).values()) <= set(files_of(tmp_path))
    assert len(await current(admin)) == (1 if step == steps.HOURS_RECORDED else 0)
    await cleaned(database, admin, tmp_path)
    await archived(database, tmp_path, QUIET)
    await check(database, admin, tmp_path, 2)


@pytest.mark.parametrize("step", [step for step in steps.WRITE_STEPS if step != steps.ROWS_COPIED])
async def test_killed_while_a_day_is_merged(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    before = await current(admin)
    with killed_at(step, monkeypatch):
        await Keeper(database, tmp_path, LATER).step()
    assert (await current(admin) == before) == (step != steps.HOURS_RECORDED)
    await cleaned(database, admin, tmp_path)
    await archived(database, tmp_path, LATER)
    assert len(set((await current(admin)).values())) == 1
    await check(database, admin, tmp_path, 4)


@pytest.mark.parametrize("step", steps.CLEANING_STEPS)
async def test_killed_while_cleaning(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    await archived(database, tmp_path, LATER)  # the files of the hours are not read any more
    assert len(files_of(tmp_path)) == 5
    with killed_at(step, monkeypatch):
        for _ in range(2):
            await clean(database, tmp_path, patience=NOW)
    await check(database, admin, tmp_path, 4)
    assert len(files_of(tmp_path)) == 1


@pytest.mark.parametrize("is_killed", [False, True], ids=["cleaned", "cleaning was killed before its commit"])
async def test_a_file_that_the_cleaning_took_meanwhile_is_written_again(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    """A writer stood still after its file got its name, and before its hours were recorded."""
    assert await append(database, day_events(60, hours=1), clock=QUIET) == {}
    await settle(database, QUIET)
    keeper = Keeper(database, tmp_path, QUIET)
    stood_still = 0

    async def record_late(*arguments: object) -> object:
        nonlocal stood_still
        stood_still += 1
        if stood_still == 1:
            await clean(database, tmp_path, patience=NOW)
            with killed_at(steps.FILE_DELETED, monkeypatch) if is_killed else nullcontext():
                await clean(database, tmp_path, patience=NOW)
        return await record_hours(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("projections.archive.writer.record_hours", record_late)
        assert await keeper.step()
    assert stood_still == 1
    assert await current(admin) == {}
    await cleaned(database, admin, tmp_path)
    await archived(database, tmp_path, QUIET)
    await check(database, admin, tmp_path, 1)


@pytest.mark.versions("every")
async def test_a_file_is_not_deleted_while_a_reader_may_hold_it(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    reader = Database(database_url, read_only=True)
    async with reader.snapshot() as session:
        seen = {row["file"] for row in await session.rows("select file from archive_hours")}
        await archived(database, tmp_path, LATER)
        for _ in range(3):
            await clean(database, tmp_path, patience=NOW)
        assert seen <= set(files_of(tmp_path))
        # One that begins after the mark keeps nothing.
        async with reader.snapshot() as later:
            assert not {row["file"] for row in await later.rows("select file from archive_hours")} & seen
    async with reader.snapshot() as later:
        await later.rows("select file from archive_hours")
        assert (await clean(database, tmp_path, patience=NOW)).deleted == 4
    await reader.close()
    await check(database, admin, tmp_path, 4)


async def test_two_writers_at_once(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second writer does the same between any two steps of the first."""
    assert await append(database, day_events(60, hours=3), clock=QUIET) == {}
    await settle(database, QUIET)
    first, second = Keeper(database, tmp_path, QUIET), Keeper(database, tmp_path, QUIET)
    for _ in range(3):
        await asyncio.gather(first.step(), second.step())
    await check(database, admin, tmp_path, 3)
    later = [Keeper(database, tmp_path, LATER) for _ in range(3)]
    await asyncio.gather(*(keeper.step() for keeper in later))
    assert len(set((await current(admin)).values())) == 1
    await check(database, admin, tmp_path, 3)


async def test_events_of_dropped_days_leave_the_archive(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(40, hours=2), tmp_path)
    await append_and_archive(database, [an_event(1_000, at=DAY_START - HOUR)], tmp_path)
    day = DAY_START.date()
    await admin.execute("insert into retired_days values (0, $1, 40, now())", day)
    await admin.execute("insert into leaving_days values ($1, 'detached', now())", day)
    await clean(database, tmp_path, patience=NOW)
    assert len(await current(admin)) == 3  # a detached day may come back
    await admin.execute("delete from leaving_days")
    for _ in range(2):
        await clean(database, tmp_path, patience=NOW)
    assert list(await current(admin)) == [DAY_START - HOUR]
    assert len(files_of(tmp_path)) == 1
