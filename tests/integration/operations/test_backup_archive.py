"""A backup takes along the files of days that have no rows, because nothing else has their events."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from service.operations.bundle import DUMP, MANIFEST
from sql.archive.files import MARKER
from sql.database import Database
from sql.embedded.share import use
from sql.migrate import migrate
from tests.conftest import folder_for_servers
from tests.integration.operations.test_backup_command import run
from tests.support.archive import files_of
from tests.support.kept_hours import keep
from tests.support.projections_command import Ended
from tests.support.retired_days import EVENTS, fill
from tests.support.sharded import Sharded

FILES = "select distinct a.file from archive_hours as a order by 1"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder with `data` of a running server, whose first two days only the archive has."""
    with folder_for_servers() as folder, use(folder / "data") as server:
        asyncio.run(made(server.url, folder / "data" / "archive"))
        yield folder


async def made(url: str, archive: Path) -> None:
    await migrate(url)
    database, admin = Database(url), await asyncpg.connect(url)
    await admin.execute("set session_replication_role = replica")
    log = Sharded(url, 1, database, admin)
    await fill(log, EVENTS)
    await keep(log, archive, 1)
    # The detached tables go, as after their grace.
    for table in await admin.fetch("select day_partition(day) as name from leaving_days where stage = 'detached'"):
        await admin.execute(f"drop table {table['name']}")
    await admin.execute("delete from leaving_days")
    await admin.close()
    await database.close()


async def files_in(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["file"] for row in await connection.fetch(FILES)]
    finally:
        await connection.close()


def test_a_backup_has_the_days_that_only_the_archive_has(folder: Path) -> None:
    data, restored = folder / "data", folder / "restored"
    file, cut, changed = (folder / name for name in ("backup.tar", "cut.tar", "changed.tar"))
    done = run(data, "service", "backup", file)
    assert done == Ended(0, f"backup: {file}: {file.stat().st_size:,} bytes\n", "")
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as bundle:
        names = bundle.getnames()
        place = bundle.getmember(names[-1]).offset_data
    assert names[:2] == [MANIFEST, DUMP]
    assert len(names[2:]) == 2
    content = file.read_bytes()
    cut.write_bytes(content[: place - 512])  # between two members
    changed.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with use(restored):
        for wrong, why in ((cut, "it is cut off"), (changed, f"{names[-1]} is missing from it, or is not what it was")):
            refused = run(restored, "service", "restore", wrong)
            assert (refused.code, refused.output) == (2, "")
            assert refused.errors.startswith(f"error: {wrong}: {why}")
            assert not (restored / "archive").exists()
        done = run(restored, "service", "restore", file)
        assert done.code == 0, done
        assert files_of(restored / "archive") == sorted(names[2:])
        assert (restored / "archive" / MARKER).read_text() == (data / "archive" / MARKER).read_text()
        with use(restored) as server:
            assert asyncio.run(files_in(server.url)) == sorted(names[2:])
        verified = run(restored, "projections", "verify")
        assert (verified.code, verified.errors) == (0, "")
        assert "; archive: 2 files, 32 events: clean\n" in verified.output


def test_another_archive_is_not_written_to(folder: Path) -> None:
    file, elsewhere = folder / "again.tar", folder / "elsewhere"
    assert run(folder / "data", "service", "backup", file).code == 0
    elsewhere.mkdir()
    (elsewhere / MARKER).write_text("another\n")
    with use(folder / "other"):
        refused = run(folder / "other", "service", "restore", file, HOURLEDGER_ARCHIVE_DIR=str(elsewhere))
        assert (refused.code, files_of(elsewhere)) == (2, [])
        assert "is the archive of another database" in refused.errors


def test_a_damaged_file_is_left_out_and_named(folder: Path) -> None:
    data, file = folder / "data", folder / "without.tar"
    with use(data) as server:
        name = asyncio.run(files_in(server.url))[0]
    (data / "archive" / name).unlink()
    done = run(data, "service", "backup", file)
    assert (done.code, done.errors) == (0, f"left out: {name} is damaged; see make verify\n")
    with tarfile.open(file) as bundle:
        assert name not in bundle.getnames()
