"""`python -m service backup` and `restore` as processes on embedded servers; and a copy of a stopped server's data."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.operations.bi_role import make_role
from sql.database import Database
from sql.days import make_days
from sql.embedded.share import use
from sql.migrate import migrate
from tests.conftest import RETENTION_DAYS, folder_for_servers
from tests.support.environment import without_settings
from tests.support.log import an_event, append, stored
from tests.support.projections_command import ROOT, Ended

EVENTS = [an_event(number, session=f"s{number}") for number in range(40)]


def run(data: Path, *command: object, **environment: str) -> Ended:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", *map(str, command)],
        env=without_settings() | {"HOURLEDGER_DATA_DIR": str(data)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder with `data` of a running server, and `copy`, which was made while that server was stopped."""
    with folder_for_servers() as folder:
        with use(folder / "data") as server:
            asyncio.run(fill(server.url))
        subprocess.run(["cp", "-a", folder / "data", folder / "copy"], check=True, timeout=60)
        with use(folder / "data"):
            yield folder


async def fill(url: str) -> None:
    await migrate(url)
    # The rights that readers lack are in the backup, too.
    await make_role(url, None)
    await migrate(url)
    database = Database(url)
    await make_days(database, RETENTION_DAYS)
    await append(database, EVENTS)
    await database.close()


def ids_in(data: Path) -> list[str]:
    with use(data) as server:
        return [row["event_id"] for row in asyncio.run(stored(server.url))]


def assert_whole(data: Path) -> None:
    """Count the events, verify them, and append to them."""
    assert ids_in(data) == [event.event_id for event in EVENTS]
    verified = run(data, "projections", "verify")
    assert (verified.code, verified.errors) == (0, "")
    assert verified.output.endswith(": clean\n")


def test_a_backup_of_a_running_server_is_restored_whole_or_not_at_all(folder: Path) -> None:
    data, restored = folder / "data", folder / "restored"
    file, cut, text = (folder / name for name in ("it's a backup, 100%.dump", "cut", "text"))
    made = run(data, "service", "backup", file)
    size = file.stat().st_size
    assert made == Ended(0, f"backup: {file}: {size:,} bytes\n", "")
    assert file.stat().st_mode & 0o777 == 0o600
    cut.write_bytes(file.read_bytes()[:-1])
    text.write_text("--\n-- PostgreSQL database dump\n--\n" + "\n" * 1000)
    with use(restored):
        broken = run(restored, "service", "restore", cut)
        assert broken == Ended(2, "", f"error: {cut}: pg_restore: could not read from input file: end of file\n")
        other = run(restored, "service", "restore", text)
        message = "input file appears to be a text format dump. Please use psql."
        assert other == Ended(2, "", f"error: {text}: pg_restore: {message}\n")
        empty = run(restored, "service", "backup", folder / "new")
        assert empty == Ended(2, "", f"error: the database in {restored} is empty: there is nothing to back up\n")
        assert not (folder / "new").exists()
        done = run(restored, "service", "restore", file)
        assert done == Ended(0, f"restore: {file}: {size:,} bytes into {restored}\n", "")
        assert_whole(restored)


def test_nothing_is_overwritten(folder: Path) -> None:
    file, lost = folder / "old", folder / "nowhere" / "x"
    file.write_text("kept")
    before = sorted(folder.iterdir())
    again = run(folder / "data", "service", "backup", file)
    assert again == Ended(2, "", f"error: {file} exists: a backup does not overwrite files, choose another name\n")
    nowhere = run(folder / "data", "service", "backup", lost)
    assert nowhere == Ended(2, "", f"error: {lost}: No such file or directory\n")
    assert (file.read_text(), sorted(folder.iterdir())) == ("kept", before)
    message = "is not empty: stop the service and move that folder away, or set HOURLEDGER_DATA_DIR to another"
    refused = run(folder / "data", "service", "restore", file)
    assert refused == Ended(2, "", f"error: the database in {folder / 'data'} {message}\n")
    assert ids_in(folder / "data") == [event.event_id for event in EVENTS]


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_database_of_ones_own_is_left_to_its_own_programs(tmp_path: Path, command: str) -> None:
    ended = run(tmp_path, "service", command, Path(__file__), DATABASE_URL="postgresql://user:secret@127.0.0.1:1/x")
    message = "DATABASE_URL is set: use pg_dump and pg_restore of that server, see docs/operations.md"
    assert ended == Ended(2, "", f"error: {message}\n")


def test_a_copy_of_a_stopped_data_directory_is_a_backup(folder: Path) -> None:
    with use(folder / "copy"):
        assert_whole(folder / "copy")


@pytest.mark.parametrize(
    "command",
    [
        ("service", "export", "--output", "-"),
        ("service", "backup", "new.dump"),
        ("service", "rollback"),
        ("service", "bi-role"),
        *(("projections", name) for name in ("verify", "log-head", "rebuild", "retention", "undrop", "status")),
    ],
    ids=" ".join,
)
def test_a_mistyped_data_directory_is_not_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    typo = tmp_path / "typo"
    ended = run(typo, *command)
    message = "make serve makes one, or set HOURLEDGER_DATA_DIR to the folder that has it"
    assert ended == Ended(2, "", f"error: there is no database in {typo}: {message}\n")
    assert not typo.exists()


@pytest.mark.parametrize(
    "command", [("projections", "verify"), ("service", "export", "--output", "-"), ("service", "migrate")], ids=" ".join
)
def test_a_database_that_cannot_be_reached_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    ended = run(tmp_path, *command, DATABASE_URL="postgresql://user@127.0.0.1:1/x")
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.startswith("error: the database of DATABASE_URL cannot be reached: ")
    assert ended.errors.count("\n") == 1
