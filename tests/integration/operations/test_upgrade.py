"""`python -m service upgrade` from this release to one with more steps; each way back brings the old state."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from sql.database import Database
from sql.embedded.replacement import REPLACEMENT
from sql.embedded.share import use
from sql.migrate import list_migrations, migrate
from tests.conftest import execute, folder_for_servers
from tests.integration.operations.test_backup_command import EVENTS, assert_whole, fill
from tests.support.commands import command
from tests.support.environment import without_settings
from tests.support.log import an_event, append, stored
from tests.support.projections_command import ROOT, Ended
from tests.support.schema import schema, version
from tests.support.servers import connected
from tests.support.waiting import until, wait_until

NOW = len(list_migrations())
# What later releases may do.
ADDS = "create table extra (name text primary key)"
ADDS_COUNTS = """
insert into hourly_counts (shard, version, hour, dimension, key, events_00)
values (0, 1, date_trunc('hour', now()), 'event_type', 'odd', 7)
"""
ADDS_A_ROW = "create table extra (name text primary key); insert into extra values ('new')"
FAILS = "select 1 / 0"
HANGS = "select pg_sleep(600)"
HANGING = "from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()"
DATABASES = "select datname from pg_database where not datistemplate order by datname"


def new_release(folder: Path, *steps: str) -> Path:
    """Make a checkout of a release that has these steps on top; return its folder."""
    folder.mkdir()
    for name in ("service", "projections"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "sql", folder / "sql", ignore=shutil.ignore_patterns("__pycache__"))
    for number, step in enumerate(steps, NOW + 1):
        for way, text in (("up", step), ("down", "drop table if exists extra")):
            (folder / f"sql/migrations/{number:04}_step{number}.{way}.sql").write_text(f"{text};\n")
    return folder


def upgrade(release: Path, data: Path, *options: object, **environment: str) -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", "service", "upgrade", *map(str, options)],
        env=without_settings() | {"HOURLEDGER_DATA_DIR": str(data)} | environment,
        cwd=release,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder with `data` of a stopped server, which this release has filled."""
    with folder_for_servers() as folder:
        with use(folder / "data") as server:
            asyncio.run(fill(server.url))
        yield folder


def state(data: Path) -> tuple[object, ...]:
    """Return the schema, the events and the databases of a stopped server."""
    with use(data) as server:
        return asyncio.run(_state(server.url, server.database_url("postgres")))


async def _state(url: str, administration: str) -> tuple[object, ...]:
    async with connected(administration) as connection:
        databases = [row["datname"] for row in await connection.fetch(DATABASES)]
    return await schema(url), [tuple(row) for row in await stored(url)], databases


def test_an_upgrade_backs_up_migrates_and_verifies(folder: Path) -> None:
    release, file = new_release(folder / "release", ADDS), folder / "before.dump"
    done = upgrade(release, folder / "data", file)
    assert (done.code, done.errors) == (0, "")
    made, verified, summary = done.output.splitlines()
    assert made == f"backup: {file}: {file.stat().st_size:,} bytes"
    assert verified.endswith(": clean")
    assert summary == f"upgrade: the schema went from version {NOW} to {NOW + 1}; start the service"
    with use(folder / "data") as server:
        assert asyncio.run(_one(server.url, "select count(*) from extra")) == 0
        assert len(asyncio.run(stored(server.url))) == len(EVENTS)


async def _one(url: str, query: str) -> object:
    async with connected(url) as connection:
        return await connection.fetchval(query)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((FAILS,), "division by zero"),
        ((ADDS, FAILS), "division by zero"),
        ((ADDS, ADDS_COUNTS), "verify found something wrong"),
    ],
    ids=["the first step fails", "a later step fails", "a step makes numbers wrong"],
)
def test_a_failure_goes_back_to_the_state_before(folder: Path, steps: tuple[str, ...], why: str) -> None:
    data = folder / "data"
    before = state(data)
    failed = upgrade(new_release(folder / "release", *steps), data)
    assert failed.code == 2
    assert failed.errors.splitlines()[-1] == f"error: {why}; the database is again as it was before the upgrade"
    (file,) = data.glob("before-upgrade-*.dump")
    assert failed.output.startswith(f"backup: {file}: ")
    assert state(data) == before
    with use(data):
        assert_whole(data)


def test_with_force_a_finding_does_not_go_back(folder: Path) -> None:
    done = upgrade(new_release(folder / "release", ADDS_COUNTS), folder / "data", "--force")
    assert (done.code, done.errors) == (0, "")
    assert ": WRONG\n" in done.output


def test_an_interruption_goes_back(folder: Path) -> None:
    data = folder / "data"
    before = state(data)
    release = new_release(folder / "release", ADDS, HANGS)
    with command(data, "service", "upgrade", before=("env", "-C", str(release))) as process:
        with use(data) as server:
            wait_until(lambda: asyncio.run(_is_hanging(server.url)), "the last step begins")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.endswith("error: interrupted; the database is again as it was before the upgrade\n")
    assert state(data) == before


async def _is_hanging(url: str) -> object:
    try:
        return await _one(url, f"select count(*) {HANGING}")
    except asyncpg.PostgresError:  # the server starts
        return 0


@pytest.mark.parametrize(
    ("stays", "found"),
    [
        (True, "hourledger uses the database now (1 connections)"),
        (False, f"the log went from position {len(EVENTS)} to {len(EVENTS) + 1} meanwhile"),
    ],
    ids=["a service that is still there", "a service that has left"],
)
def test_what_a_service_wrote_meanwhile_stays(folder: Path, stays: bool, found: str) -> None:
    data, file = folder / "data", folder / "before.dump"
    release = new_release(folder / "release", ADDS, HANGS)
    words = ("service", "upgrade", file)
    with command(data, *words, before=("env", "-C", str(release))) as process, use(data) as server:
        wait_until(lambda: asyncio.run(_is_hanging(server.url)), "the last step begins")
        errors = asyncio.run(_while_it_fails(server.url, process, stays=stays))
        assert len(asyncio.run(stored(server.url))) == len(EVENTS) + 1
        assert asyncio.run(version(server.url)) == NOW + 1
        databases = asyncio.run(_state(server.url, server.database_url("postgres")))[2]
    assert process.returncode == 2
    assert errors.splitlines()[-1] == (
        "error: canceling statement due to user request; the database stays as the upgrade left it,"
        f" because going back could lose events: {found}; the backup {file} is kept; stop the service,"
        " then run make upgrade again, or make rollback for each step that the former release lacks"
    )
    assert file.exists()
    assert databases == ["hourledger", "postgres"]


async def _while_it_fails(url: str, process: subprocess.Popen[str], *, stays: bool) -> str:
    """Append an event as a service, let the last step fail, and return what the command says."""
    database = Database(url, connections=1)
    try:
        assert await append(database, [an_event(len(EVENTS))]) == {}
        if not stays:
            await database.close()
        await execute(url, f"select pg_cancel_backend(pid) {HANGING}")
        _, errors = await asyncio.to_thread(process.communicate, timeout=120)
    finally:
        await database.close()
    return errors


def test_a_killed_upgrade_goes_on_when_it_is_run_again(folder: Path) -> None:
    data = folder / "data"
    hangs = new_release(folder / "hangs", ADDS, HANGS)
    with command(data, "service", "upgrade", before=("env", "-C", str(hangs))) as process, use(data) as server:
        wait_until(lambda: asyncio.run(_is_hanging(server.url)), "the last step begins")
        process.kill()
        process.wait(60)
        asyncio.run(execute(server.url, f"select pg_terminate_backend(pid) {HANGING}"))
        asyncio.run(execute(server.database_url("postgres"), f"create database {REPLACEMENT}"))
    done = upgrade(new_release(folder / "release", ADDS, "select 1"), data, folder / "again.dump")
    assert (done.code, done.errors) == (0, "")
    assert done.output.endswith(f"upgrade: the schema went from version {NOW + 1} to {NOW + 2}; start the service\n")


def test_beside_a_service_it_is_refused(folder: Path) -> None:
    data, file = folder / "data", folder / "before.dump"
    with use(data) as server:
        refused = asyncio.run(_while_used(server.url, lambda: upgrade(ROOT, data, file)))
    assert refused == Ended(2, "", "error: hourledger uses this database now (1 connections): stop the service first\n")
    assert not file.exists()


async def _while_used(url: str, work: Callable[[], Ended]) -> Ended:
    database = Database(url, connections=1)
    try:
        await database.rows(database.statements.has_schema)
        return await asyncio.to_thread(work)
    finally:
        await database.close()


async def test_a_server_of_ones_own_needs_a_backup_of_ones_own(empty_database_url: str, tmp_path: Path) -> None:
    refused = await asyncio.to_thread(upgrade, ROOT, tmp_path, DATABASE_URL=empty_database_url)
    message = "DATABASE_URL is set: back up that server by pg_dump, and add --no-backup; see docs/deploy.md"
    assert refused == Ended(2, "", f"error: {message}\n")


async def test_without_a_backup_the_steps_are_taken_back(database_url: str, tmp_path: Path) -> None:
    before = await schema(database_url)
    release = new_release(tmp_path / "release", ADDS, FAILS)
    options = (release, tmp_path / "data", "--no-backup")
    failed = await asyncio.to_thread(upgrade, *options, DATABASE_URL=database_url)
    message = "division by zero; the database is again as it was before the upgrade"
    assert failed == Ended(2, "", f"error: {message}\n")
    assert await version(database_url) == NOW
    await migrate(database_url)  # the service of the former release installs its functions when it starts
    assert await schema(database_url) == before


async def test_without_a_backup_no_row_is_given_up_to_go_back(database_url: str, tmp_path: Path) -> None:
    release = new_release(tmp_path / "release", ADDS_A_ROW, FAILS)
    down = release / f"sql/migrations/{NOW + 1:04}_step{NOW + 1}.down.sql"
    down.write_text(f"-- loses: extra\n{down.read_text()}")
    options = (release, tmp_path / "data", "--no-backup")
    failed = await asyncio.to_thread(upgrade, *options, DATABASE_URL=database_url)
    assert failed.code == 2
    assert "; and the state from before could not be brought back: " in failed.errors
    assert "would lose the rows of extra" in failed.errors
    assert await version(database_url) == NOW + 1


async def test_without_a_backup_no_step_is_taken_back_under_a_service(database_url: str, tmp_path: Path) -> None:
    release = new_release(tmp_path / "release", ADDS, HANGS)
    options = (release, tmp_path / "data", "--no-backup")
    ending = asyncio.create_task(asyncio.to_thread(upgrade, *options, DATABASE_URL=database_url))
    await until(lambda: _is_hanging(database_url), "the last step begins")
    database = Database(database_url, connections=1)
    try:
        await database.rows(database.statements.has_schema)
        await execute(database_url, f"select pg_cancel_backend(pid) {HANGING}")
        failed = await ending
    finally:
        await database.close()
    assert failed.code == 2
    assert "; the database stays as the upgrade left it, because " in failed.errors
    assert await version(database_url) == NOW + 1
