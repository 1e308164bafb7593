"""Files are proven from the files alone. What was changed is told by name, not read, and written anew."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from projections.archive import proof as module
from projections.archive.keeper import Keeper
from projections.archive.proof import FileProof, archived_files, prove
from sql.database import Database
from tests.integration.projections.archive.test_writing import LATER, STORED, day_events
from tests.support.archive import (
    DAY_START,
    QUIET,
    append_and_archive,
    archived,
    current,
    events_in_log,
    rows_of,
)
from tests.support.file_damages import FILE_DAMAGES
from tests.support.oracle import HOUR
from tests.support.projections_command import run, text

PROVEN_AT = "select min(proven_at), max(proven_at) from archive_hours"
DAMAGE = "select file, damage from archive_files where damage is not null"


async def _proofs(database: Database, archive: Path) -> list[FileProof]:
    return [proof async for proof in prove(database, archive, await archived_files(database))]


async def test_right_files_are_proven(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    await append_and_archive(database, day_events(50, hours=3), tmp_path)
    proofs = await _proofs(database, tmp_path)
    assert [proof.wrong for proof in proofs] == [None] * 3
    assert await admin.fetch(DAMAGE) == []


async def test_each_file_is_proven_again_within_a_day(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(50, hours=3), tmp_path)
    await archived(database, tmp_path, QUIET + timedelta(hours=19))  # it also makes a file of the day
    moment = QUIET + timedelta(hours=19)
    assert [tuple(row) for row in await admin.fetch(PROVEN_AT)] == [(moment, moment)]
    await archived(database, tmp_path, QUIET + timedelta(hours=38))
    assert await admin.fetchval(PROVEN_AT) == QUIET + timedelta(hours=19)
    await archived(database, tmp_path, QUIET + timedelta(hours=40))
    assert await admin.fetchval(PROVEN_AT) == QUIET + timedelta(hours=40)


@pytest.mark.parametrize("what", FILE_DAMAGES)
@pytest.mark.parametrize("seed", [1, 2])
async def test_what_was_changed_is_damaged_until_it_is_written_anew(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, what: str, seed: int
) -> None:
    await append_and_archive(database, day_events(300, hours=5), tmp_path)
    before = await current(admin)
    chance = random.Random(seed)
    hour = chance.choice(list(before))
    FILE_DAMAGES[what](tmp_path / before[hour], chance)
    wrong = {proof.file.file: proof.wrong for proof in await _proofs(database, tmp_path)}
    assert [file for file, why in wrong.items() if why] == [before[hour]]
    assert [tuple(row) for row in await admin.fetch(DAMAGE)] == [(before[hour], wrong[before[hour]])]
    assert set(before) - set(await current(admin)) == {hour}
    await archived(database, tmp_path, QUIET)
    # The same rows make the same file.
    assert await current(admin) == before
    assert [proof.wrong for proof in await _proofs(database, tmp_path)] == [None] * 5


async def test_the_projector_finds_it_by_itself(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    await append_and_archive(database, day_events(300, hours=5), tmp_path)
    file = (await current(admin))[DAY_START + HOUR]
    FILE_DAMAGES["a flipped bit"](tmp_path / file, random.Random(3))
    with capture_logs() as logs:
        await archived(database, tmp_path, QUIET + timedelta(hours=21))
    (told,) = [each for each in logs if each["log_level"] == "error"]
    assert (told["file"], told["first"]) == (file, text(DAY_START + HOUR))
    assert len(await current(admin)) == 5
    assert [proof.wrong for proof in await _proofs(database, tmp_path) if proof.wrong] == []


async def test_a_damaged_hour_never_gets_into_the_file_of_its_day(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    events = day_events(300, hours=5)
    await append_and_archive(database, events, tmp_path)
    chance = random.Random(4)
    for file in (await current(admin)).values():
        FILE_DAMAGES["a flipped bit"](tmp_path / file, chance)
    keeper = Keeper(database, tmp_path, QUIET + timedelta(minutes=30))
    with capture_logs() as logs:
        while await keeper.step():
            pass
    assert sum(each["log_level"] == "error" for each in logs) == 5
    assert set(await admin.fetch("select file from archive_files where until - since > '1 hour'")) == set()
    await archived(database, tmp_path, LATER)
    (file,) = set((await current(admin)).values())
    assert rows_of(tmp_path, file, STORED) == await events_in_log(admin)


async def test_a_file_that_comes_back_is_read_again(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(300, hours=2), tmp_path / "archive")
    (tmp_path / "archive").rename(tmp_path / "away")
    files = await current(admin)
    file = tmp_path / "away" / files[DAY_START]
    content = file.read_bytes()
    file.unlink()
    assert len([proof for proof in await _proofs(database, tmp_path / "away") if proof.wrong]) == 1
    assert len(await current(admin)) == 1
    file.write_bytes(content)
    await _proofs(database, tmp_path / "away")
    assert len(await current(admin)) == 2


async def test_a_file_that_is_replaced_during_its_proof_is_no_damage(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_and_archive(database, day_events(100, hours=2), tmp_path)
    before = await archived_files(database)
    await archived(database, tmp_path, LATER)  # merges both into one file
    for file in before:
        (tmp_path / file.file).unlink()  # as the cleaning does
    assert [proof async for proof in prove(database, tmp_path, before)] == []
    assert await admin.fetch(DAMAGE) == []


async def test_numbers_are_recomputed_and_not_only_the_bytes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose bytes are those of its name may still not hold what the catalog says."""
    await append_and_archive(database, day_events(50, hours=2), tmp_path)
    one, other = await archived_files(database)
    one.hours[next(iter(one.hours))] = next(iter(other.hours.values()))
    assert "it holds Numbers(" in (module.what_is_wrong(tmp_path, one) or "")


async def test_the_file_of_a_day_that_left_the_log_is_not_proven(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    """Nothing reads it, and there are no rows to write it anew from. A day that comes back is proven again."""
    await append_and_archive(database, day_events(50, hours=2), tmp_path)
    lost, kept = (await current(admin)).values()
    await _retire(admin)
    (tmp_path / lost).unlink()
    keeper = Keeper(database, tmp_path, QUIET + timedelta(hours=21))
    with capture_logs() as logs:
        assert not await keeper.step()  # it would also merge the day's files
    assert [each for each in logs if each["log_level"] in ("warning", "error")] == []
    assert await _proofs(database, tmp_path) == []
    await admin.execute("update archive_files set damage = 'it is missing' where file = $1", lost)
    assert (await database.only(database.statements.read_archive_state))["damaged_files"] == 0
    await admin.execute("delete from leaving_days; delete from retired_days")
    assert (await database.only(database.statements.read_archive_state))["damaged_files"] == 1
    assert {proof.file.file: proof.wrong for proof in await _proofs(database, tmp_path)} == {
        lost: "it is missing",
        kept: None,
    }


async def _retire(admin: asyncpg.Connection) -> None:
    """Let retention take the day, which stays for its grace."""
    day = DAY_START.date()
    await admin.execute("insert into retired_days values (0, $1, 50, now())", day)
    await admin.execute("insert into leaving_days values ($1, 'detached', now())", day)


async def test_verify_names_damaged_files(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    settings = {"HOURLEDGER_ARCHIVE_DIR": str(archive)}
    await append_and_archive(database, day_events(90, hours=3), archive)
    clean = await run(database_url, "verify", **settings)
    assert (clean.code, clean.complaints) == (0, [])
    assert clean.output == (
        "verify: 3 hours, 90 events: 3 verified, 0 sealed, 0 drifted, 0 damaged, 0 broken;"
        " archive: 3 files, 90 events: clean\n"
    )
    file = (await current(admin))[DAY_START + HOUR]
    (archive / file).unlink()
    wrong = await run(database_url, "verify", "--json", **settings)
    answer = json.loads(wrong.output)
    assert (wrong.code, answer["ok"], answer["archive"]) == (1, False, {"files": 3, "events": 90, "damaged": 1})
    (finding,) = answer["findings"]
    assert finding == {
        "hour": text(DAY_START + HOUR),
        "shard": 0,
        "class": "damaged",
        "field": "archive_file",
        "bucket": None,
        "key": file,
        "stored": finding["stored"],
        "recounted": "it is missing",
    }
    # Only who keeps the archive says of a file that it is not to be read.
    assert await admin.fetch(DAMAGE) == []
    assert (await admin.fetchval(PROVEN_AT)).year == 1970
    as_lines = await run(database_url, "verify", **settings)
    assert as_lines.code == 1
    hour = text(DAY_START + HOUR)
    assert as_lines.output.splitlines()[0] == (
        f"{hour} shard 0: damaged: archive file {file}: it is missing; the projector proves it again within minutes,"
        f" and writes its hours, {hour} to {hour}, anew from the log"
    )
    elsewhere = await run(database_url, "verify", HOURLEDGER_ARCHIVE_DIR=str(tmp_path / "nowhere"))
    assert elsewhere.code == 2
    assert "set HOURLEDGER_ARCHIVE_DIR" in elsewhere.last_error
    only_other = await run(database_url, "verify", "--from", text(DAY_START + 2 * HOUR), **settings)
    assert only_other.code == 0
