"""A folder that is not the archive of the database is neither written nor taken for one whose files are lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from projections.archive.errors import NotTheArchive
from projections.archive.keeper import Keeper
from projections.archive.proof import archived_files, prove
from sql.archive.files import MARKER
from sql.database import Database
from tests.integration.projections.archive.test_disk import told
from tests.integration.projections.archive.test_writing import day_events
from tests.support.archive import DAY_START, QUIET, append_and_archive, archived, current, files_of, settle
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.projections_command import run

DAMAGE = "select file from archive_files where damage is not null"
ID = "select archive_id::text from archive_writing"
LONG_AFTER = QUIET + timedelta(hours=21)
OTHER = "9f3c0a52-5b57-4b8e-9a53-0d6f6d8a7c11\n"


async def test_the_first_write_makes_a_folder_the_archive(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    await archived(database, archive, QUIET)
    assert not archive.exists()
    await append_and_archive(database, day_events(20, hours=1), archive)
    assert (archive / MARKER).read_text() == f"{await admin.fetchval(ID)}\n"


@pytest.mark.parametrize("found", [None, "", OTHER], ids=["no disk", "an empty id", "another archive"])
async def test_another_folder_is_left_alone_and_told(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path, found: str | None
) -> None:
    archive, away = tmp_path / "archive", tmp_path / "away"
    await append_and_archive(database, day_events(60, hours=2), archive)
    before = await current(admin)
    assert await append(database, [an_event(900, at=DAY_START + 5 * HOUR)], clock=QUIET) == {}
    await settle(database, QUIET)
    archive.rename(away)
    if found is not None:
        archive.mkdir()
        (archive / MARKER).write_text(found)
    there = files_of(archive)
    keeper = Keeper(database, archive, LONG_AFTER)  # each file is to be proven
    with capture_logs() as logs:
        assert not await keeper.step()
    assert str(archive / MARKER) in logs[-1]["error"]
    assert (files_of(archive), archive.exists()) == (there, found is not None)
    assert await current(admin) == before
    assert await admin.fetch(DAMAGE) == []
    (why,), _ = await told(database_url, database)
    assert "its folder is not the archive of this database: " in why
    assert "set HOURLEDGER_ARCHIVE_DIR to " in why
    assert str(tmp_path) not in why  # anyone may read it
    if found is not None:
        (archive / MARKER).unlink()
        archive.rmdir()
    away.rename(archive)
    await archived(database, archive, LONG_AFTER)
    assert (await told(database_url, database))[0] == []
    assert len(await current(admin)) == 3


async def test_a_disk_that_goes_during_a_proof_marks_no_file(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(60, hours=2), tmp_path / "archive")
    files = await archived_files(database)
    (tmp_path / "archive").rename(tmp_path / "away")
    with pytest.raises(NotTheArchive):
        _ = [proof async for proof in prove(database, tmp_path / "archive", files)]
    assert await admin.fetch(DAMAGE) == []


async def test_lost_files_are_written_anew_once_the_id_is_put_there(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    await append_and_archive(database, day_events(60, hours=2), archive)
    archive.rename(tmp_path / "lost")
    archive.mkdir()
    (archive / MARKER).write_text(await admin.fetchval(ID))
    await archived(database, archive, LONG_AFTER)
    assert len(await current(admin)) == 2
    assert set((await current(admin)).values()) <= set(files_of(archive))


async def test_verify_elsewhere_could_not_check(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    await append_and_archive(database, day_events(60, hours=2), archive)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for found in (None, OTHER):
        if found:
            (elsewhere / MARKER).write_text(found)
        answer = await run(database_url, "verify", HOURLEDGER_ARCHIVE_DIR=str(elsewhere))
        assert answer.code == 2
        assert f"{elsewhere} is not the archive of this database" in answer.last_error
    assert await admin.fetch(DAMAGE) == []
