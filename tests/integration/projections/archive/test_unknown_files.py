"""Files that the catalog does not know may be the only copy of events: they stay until these are kept no longer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from projections.archive import keeper, unknown
from projections.archive.cleaning import clean
from projections.archive.keeper import Keeper
from sql.archive.files import MARKER
from sql.database import Database
from sql.retention import Retention, record_retention, time_passed
from tests.integration.projections.archive.test_writing import LATER, day_events
from tests.support.archive import DAY, DAY_START, append_and_archive, archived, current, files_of
from tests.support.retired_days import reading_at

DAYS = 30
NOW = timedelta(0)


@pytest.fixture(autouse=True)
def _any_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown, "AGE", NOW)


async def forgotten(database: Database, admin: asyncpg.Connection, archive: Path) -> list[str]:
    """Archive a day, and let the catalog forget it, as a database does not know it that is older; return its files."""
    await record_retention(database, Retention(DAYS, 90, DAYS))
    await append_and_archive(database, day_events(60, hours=2), archive)
    await admin.execute("delete from archive_hours; delete from archive_files")
    await time_passed(database, reading_at(DAY_START + DAY))
    return files_of(archive)


async def past_retention(database: Database, admin: asyncpg.Connection) -> None:
    """Let the day be past its retention, without a table that undrop could bring back."""
    await time_passed(database, reading_at(DAY_START + (DAYS + 1) * DAY), force=True)
    await admin.execute(f"drop table events_{DAY_START:%Y%m%d}")


async def test_unknown_files_stay_and_are_told_once_until_their_events_are_kept_no_longer(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    files = await forgotten(database, admin, tmp_path)
    await admin.execute("delete from hour_proofs")  # so that nothing is written again
    one = Keeper(database, tmp_path, LATER)
    told = []
    for _ in range(2):
        one._clean_at = 0.0
        with capture_logs() as logs:
            await one.step()
        told += [each["files"] for each in logs if each["event"] == keeper.UNKNOWN]
    assert told == [files]
    assert files_of(tmp_path) == files
    await past_retention(database, admin)
    one._clean_at = 0.0
    await one.step()
    assert files_of(tmp_path) == []


@pytest.mark.parametrize(
    "state",
    [
        "create table {table} partition of events for values from ('{day}') to ('{day}'::timestamptz + interval '1 d')",
        "insert into leaving_days values ('{day}', 'detached', now())",
        "insert into archived_days values ('{day}', 'kept')",
        "insert into archived_days values ('{day}', 'leaving')",
    ],
    ids=["in the log", "detached", "kept", "leaving"],
)
async def test_unknown_files_of_a_day_that_can_come_back_stay(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, state: str
) -> None:
    files = await forgotten(database, admin, tmp_path)
    await past_retention(database, admin)
    await admin.execute(state.format(table=f"events_{DAY_START:%Y%m%d}", day=f"{DAY_START:%Y-%m-%d} 00:00Z"))
    assert (await clean(database, tmp_path)).unknown == files
    assert files_of(tmp_path) == files


async def test_the_last_day_of_the_retention_stays(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    files = await forgotten(database, admin, tmp_path)
    await admin.execute(f"drop table events_{DAY_START:%Y%m%d}")
    await time_passed(database, reading_at(DAY_START + (DAYS + 1) * DAY - timedelta(seconds=1)), force=True)
    await clean(database, tmp_path)
    assert files_of(tmp_path) == files


async def test_a_database_that_has_no_retention_yet_deletes_nothing(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    files = await forgotten(database, admin, tmp_path)
    await past_retention(database, admin)
    await admin.execute("update retention_in_force set event_days = null, rollup_days = null, log_days = null")
    assert (await clean(database, tmp_path)).unknown == files


async def test_other_files_young_ones_and_another_archive_are_left_alone(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = await forgotten(database, admin, tmp_path)
    await past_retention(database, admin)
    foreign = [tmp_path / "site=default" / "notes.parquet", tmp_path / files[0].replace(".parquet", ".txt")]
    for file in foreign:
        file.write_text("of another program")
    with monkeypatch.context() as patched:
        patched.setattr(unknown, "AGE", timedelta(hours=1))
        await clean(database, tmp_path)  # a writer may have lost the row of a young file
    assert set(files) <= set(files_of(tmp_path))
    (tmp_path / MARKER).rename(tmp_path / "marker")
    await clean(database, tmp_path)  # it may be the folder of another database
    assert set(files) <= set(files_of(tmp_path))
    (tmp_path / "marker").rename(tmp_path / MARKER)
    assert (await clean(database, tmp_path)).left == {}
    assert files_of(tmp_path) == sorted(str(file.relative_to(tmp_path)) for file in foreign)


async def test_what_the_catalog_forgot_is_written_again_under_the_same_names(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    files = await forgotten(database, admin, tmp_path)
    await archived(database, tmp_path, LATER)
    assert set((await current(admin)).values()) <= set(files_of(tmp_path))
    assert (await clean(database, tmp_path)).unknown == []
    assert set(files) <= set(files_of(tmp_path))


async def test_a_file_that_the_catalog_knows_stays(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await record_retention(database, Retention(DAYS, 90, DAYS))
    await append_and_archive(database, day_events(60, hours=2), tmp_path)
    before = files_of(tmp_path)
    await past_retention(database, admin)
    await clean(database, tmp_path)
    assert files_of(tmp_path) == before
