"""What cannot be removed hinders nothing else, and is told."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from projections.archive import cleaning, folder
from projections.archive.cleaning import clean
from projections.archive.keeper import Keeper
from sql.archive.files import WRITING
from sql.database import Database
from tests.integration.projections.archive.test_writing import LATER, day_events
from tests.support.archive import append_and_archive, archived, files_of

NOW = timedelta(0)


def _put_strays(archive: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Put entries there that are not a writer's, or cannot be removed; return those."""
    writing = archive / WRITING
    (writing / "a file").write_text("of another program")
    for name in ("left", "not empty", "of another user"):
        (writing / name).mkdir()
        (writing / name / folder.LOCK).touch()
    rmtree = shutil.rmtree

    def remove(place: Path) -> None:
        if place.name == "not empty":  # NFS keeps a deleted file that is open under another name
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        if place.name == "of another user":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        rmtree(place)

    monkeypatch.setattr(shutil, "rmtree", remove)
    return {f"{WRITING}/{name}" for name in ("a file", "not empty", "of another user")}


async def test_entries_that_are_not_ours_do_not_stop_the_cleaning(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    await archived(database, tmp_path, LATER)  # the files of the hours are not read any more
    with monkeypatch.context() as patched:
        strays = _put_strays(tmp_path, patched)
        assert set((await clean(database, tmp_path, patience=NOW)).left) == strays
        cleaned = await clean(database, tmp_path, patience=NOW)
        assert set(cleaned.left) == strays
        keeper = Keeper(database, tmp_path, LATER)
        with capture_logs() as logs:
            await keeper.step()
    (told,) = [each for each in logs if each["log_level"] == "warning"]
    assert f"{WRITING}/a file: {os.strerror(errno.ENOTDIR)}" in told["left"]
    assert cleaned.deleted == 4
    assert not (tmp_path / WRITING / "left").exists()
    assert len([file for file in files_of(tmp_path) if not file.startswith(WRITING)]) == 1


async def test_a_file_that_cannot_be_deleted_blocks_none_behind_it(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    await archived(database, tmp_path, LATER)
    await clean(database, tmp_path, patience=NOW)
    first = await admin.fetchval("select file from archive_files where released_at is not null order by released_at")
    remove_file = folder.remove_file

    def refuse_first(place: Path) -> None:
        if place == tmp_path / first:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        remove_file(place)

    with monkeypatch.context() as patched:
        patched.setattr(cleaning, "AT_A_TIME", 1)
        patched.setattr(cleaning, "remove_file", refuse_first)
        cleaned = await clean(database, tmp_path, patience=NOW)
        assert (cleaned.deleted, set(cleaned.left)) == (1, {first})
        patched.setattr(cleaning, "AT_A_TIME", 100)
        assert not await Keeper(database, tmp_path, LATER).step()
    assert (await database.only(database.statements.read_archive_state))["why"] == "its folder may not be written"
    assert [row["file"] for row in await admin.fetch("select file from archive_files where released_at < now()")] == [
        first
    ]
    assert (await clean(database, tmp_path, patience=NOW)).deleted == 1


async def test_cleaning_goes_on_when_the_folder_of_writers_is_a_file(database: Database, tmp_path: Path) -> None:
    (tmp_path / WRITING).write_text("")
    cleaned = await clean(database, tmp_path)
    assert set(cleaned.left) == {WRITING}


async def test_what_failed_is_told_until_it_can_be_done(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not until a file is written: there may be none to write."""

    async def failing() -> bool:
        row = await database.only(database.statements.read_archive_state)
        return row["failing_since"] is not None

    def refuse(_: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    await archived(database, tmp_path, LATER)
    await clean(database, tmp_path, patience=NOW)
    keeper = Keeper(database, tmp_path, LATER)
    with monkeypatch.context() as patched:
        patched.setattr(cleaning, "remove_file", refuse)
        await keeper.step()
        assert await failing()
        await keeper.step()  # it is not yet time to clean again, and nothing else is due
        assert await failing()
    keeper._clean_at = 0.0
    await keeper.step()
    assert not await failing()
    assert keeper.pause_after(1.0, idle=False) == 4.0


async def test_a_file_that_is_left_out_for_a_while_still_counts_as_failed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_and_archive(database, day_events(100, hours=4), tmp_path)
    keeper = Keeper(database, tmp_path, LATER)
    with monkeypatch.context() as patched:
        patched.setattr("projections.archive.writer.room_for", lambda _: 0)
        for _ in range(3):
            await keeper.step()
        assert (await database.only(database.statements.read_archive_state))["why"] == "its disk has no room"
    keeper._left_out.clear()
    await keeper.step()
    assert (await database.only(database.statements.read_archive_state))["why"] is None
