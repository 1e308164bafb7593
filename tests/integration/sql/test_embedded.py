"""A real embedded PostgreSQL: shared, killed, started again, and closed to all other users."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import asyncpg
import psutil
import pytest

from sql.embedded import accounts, share
from sql.embedded.accounts import Account, account_of, server_account
from sql.embedded.binaries import binaries
from sql.embedded.folders import SOCKET_NAME, socket_folder
from sql.embedded.share import EmbeddedServer
from sql.errors import EmbeddedError
from tests.conftest import words_of

ROOT = Path(__file__).parents[3]
NOBODY = pwd.getpwnam("nobody")
USER = """
import os, sys
from pathlib import Path
from sql.embedded import share
if sys.argv[2:]:
    os.setgroups([]), os.setgid(int(sys.argv[3])), os.setuid(int(sys.argv[2]))
    sys.path[:] = sys.argv[4:]
with share.use(Path(sys.argv[1])) as server:
    print(server.postgres.postmaster().pid, flush=True)
    sys.stdin.readline()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")


@contextmanager
def made_place() -> Iterator[Path]:
    """Give a folder that the server's user can enter; pytest's own folders are closed to it."""
    place = Path(tempfile.mkdtemp(prefix="hourledger-test-", dir="/tmp"))
    place.chmod(0o711)
    try:
        yield place
    finally:
        shutil.rmtree(place)


@pytest.fixture
def place() -> Iterator[Path]:
    with made_place() as place:
        yield place


@pytest.fixture(scope="module")
def made_data() -> Iterator[Path]:
    with made_place() as place:
        share.release(share.use(place / "data"))
        yield place / "data"


@pytest.fixture
def data(made_data: Path) -> Iterator[Path]:
    """Give a data directory that a server has used before; stop any server at the end."""
    yield made_data
    if servers_of(made_data):
        share.release(share.use(made_data))


@contextmanager
def another_user(data: Path, *account: object) -> Iterator[tuple[Popen[str], int]]:
    """Give a process that uses the server until it reads a line, and the server's pid as that process sees it.

    account: the user id and group id that it takes, and the path where it then finds the wheel.
    """
    command = (sys.executable, "-X", "dev", "-c", USER, str(data), *map(str, account))
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as user:
        assert user.stdin
        assert user.stdout
        assert user.stderr
        try:
            pid = user.stdout.readline().strip()
            assert pid, user.stderr.read()
            yield user, int(pid)
        finally:
            user.kill()


def let_go(user: Popen[str]) -> None:
    _, complaints = user.communicate("\n", timeout=60)
    assert (user.returncode, complaints) == (0, "")


def servers_of(data: Path) -> list[psutil.Process]:
    """Return the live processes of a data directory's server, found without its pid file."""

    def is_one(process: psutil.Process) -> bool:
        try:
            alive = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
            return alive and Path(process.cwd()).is_relative_to(data)
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if is_one(process)]


def postmaster_of(server: EmbeddedServer) -> psutil.Process:
    process = server.postgres.postmaster()
    assert process is not None
    return process


def kill(*processes: psutil.Process) -> None:
    """Kill processes; some may end by themselves once the first is gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def kill_all(server: EmbeddedServer) -> None:
    kill(*servers_of(server.postgres.data_dir))
    until(lambda: not servers_of(server.postgres.data_dir))


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def ask(url: str, query: str) -> object:
    async def asked() -> object:
        connection = await asyncpg.connect(url, timeout=60)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


def on_the_network(process: psutil.Process) -> list[object]:
    try:
        return list(process.net_connections("inet"))
    except psutil.NoSuchProcess:
        return []


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


@pytest.mark.parametrize("version", [16, 18])
def test_it_starts_with_its_database_stops_and_starts_again(data: Path, place: Path, version: int) -> None:
    data = data if version == 18 else place
    with share.use(data, version=version) as server:
        assert str(ask(server.url, "show server_version_num")).startswith(str(version))
        assert ask(server.url, "show server_encoding") == "UTF8"
        assert ask(server.url, "show data_checksums") == "on"
        assert ask(server.url, "show timezone") == "UTC"
        assert ask(server.url, "show fsync") == "on"
        # Enough locks for two transactions that lock ten years of days, each a table with six indexes.
        locks = [int(str(ask(server.url, f"show {name}"))) for name in ("max_connections", "max_locks_per_transaction")]
        assert locks[0] * locks[1] > 2 * 3_650 * 7
        assert ask(server.url, "select lower('É') = 'é'") is (version == 18)
        ask(server.url, "create table kept as select 42 as number")
    assert not servers_of(data)
    with share.use(data, version=version) as server:
        assert ask(server.url, "select number from kept") == 42
    share.release(server)
    assert not servers_of(data)


def test_settings_and_other_databases(data: Path) -> None:
    with share.use(data, settings={"application_name": r"it's \ here"}) as server:
        assert ask(server.database_url("postgres"), "show application_name") == r"it's \ here"
        ask(server.url, 'create database "a b/ü?&"')
        assert ask(server.database_url("a b/ü?&"), "select current_database()") == "a b/ü?&"


def test_a_released_share_cannot_bring_the_server_back(data: Path) -> None:
    with share.use(data) as server:
        pass
    with pytest.raises(EmbeddedError, match="released"):
        share.ensure_running(server)


def test_the_environment_does_not_steer_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPORT", "PGDATA", "PGHOST", "PGUSER", "PGOPTIONS", "LC_ALL", "TZ"):
        monkeypatch.setenv(name, "1")
    with share.use(data) as server:
        assert ask(server.url, "select 1") == 1


# Shared


def test_the_last_to_leave_stops_it(data: Path) -> None:
    with another_user(data) as (user, pid):
        with share.use(data) as server:
            assert postmaster_of(server).pid == pid
            assert not share.ensure_running(server)
        assert servers_of(data)
        with share.use(data) as server, share.use(data) as second:
            let_go(user)
            share.release(second)
            assert ask(server.url, "select 1") == 1
        assert not servers_of(data)


def test_a_killed_user_neither_stops_it_nor_keeps_it(data: Path) -> None:
    with another_user(data) as (user, pid):
        user.kill()
        user.wait()
        with share.use(data) as server:
            assert postmaster_of(server).pid == pid
        assert not servers_of(data)


def test_ctrl_c_in_the_terminal_of_its_starter_does_not_reach_it(data: Path) -> None:
    with another_user(data) as (user, pid), share.use(data) as server:
        os.killpg(user.pid, signal.SIGINT)
        user.wait(60)
        assert ask(server.url, "select 1") == 1
        assert postmaster_of(server).pid == pid


def test_processes_that_make_the_data_at_once_share_one_server(place: Path) -> None:
    killed_before = place / "initdb-killed"
    killed_before.mkdir()
    (killed_before / "PG_VERSION").write_text("18\n")
    command = (sys.executable, "-c", USER, str(place))
    users = [Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) for _ in range(4)]
    try:
        pids = {user.stdout.readline() for user in users if user.stdout}
        assert len(pids) == 1
        assert "" not in pids
    finally:
        for user in users:
            user.communicate("\n", timeout=60)
    assert not killed_before.exists()
    assert not servers_of(place)


# Killed


def test_a_killed_server_comes_back_with_what_was_committed(data: Path) -> None:
    with share.use(data) as server:
        ask(server.url, "create table committed as select 42 as number")
        postmaster_of(server).kill()
        assert share.ensure_running(server)
        assert not share.ensure_running(server)
        assert ask(server.url, "select number from committed") == 42


def test_a_child_that_outlives_the_killed_server_is_told_to_go(data: Path) -> None:
    with share.use(data) as server:
        busy = (server.postgres.binaries / "psql", "-c", "do $$ begin loop end loop; end $$", server.url)
        with Popen(busy, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL):
            until(lambda: any("DO" in " ".join(words_of(process)) for process in servers_of(data)))
            postmaster_of(server).kill()
            assert share.ensure_running(server)
            assert ask(server.url, "select 1") == 1


def test_after_a_kill_of_everything_it_starts(data: Path) -> None:
    with another_user(data) as (user, pid):
        user.kill()
        kill(*servers_of(data))
    assert (data / "postgresql-18" / "postmaster.pid").exists()
    assert (data / "run" / SOCKET_NAME).exists()
    with share.use(data) as server:
        assert postmaster_of(server).pid != pid
        assert ask(server.url, "select 1") == 1


@contextmanager
def a_stranger(uid: int | None) -> Iterator[Popen[bytes]]:
    """Give a process that has nothing to do with the server."""
    with Popen(["/bin/sleep", "3600"], user=uid) as stranger:
        try:
            yield stranger
        finally:
            stranger.kill()


@pytest.mark.parametrize("left", ["another's pid", "", "nonsense\n"])
def test_what_a_killed_server_left_is_not_believed(data: Path, left: str) -> None:
    account = server_account()
    uid = account.uid if account.uid != os.geteuid() else None
    locks = (data / "postgresql-18" / "postmaster.pid", data / "run" / f"{SOCKET_NAME}.lock")
    with a_stranger(uid) as stranger, share.use(data) as server:
        kill_all(server)
        for lock in locks:
            lines = lock.read_text().splitlines(keepends=True)
            lock.write_text("".join([f"{stranger.pid}\n", *lines[1:]]) if left == "another's pid" else left)
        assert server.postgres.postmaster() is None
        assert share.ensure_running(server)
        assert ask(server.url, "select 1") == 1
        kill_all(server)
        share.release(server)
        assert stranger.poll() is None


def test_a_database_that_was_not_made_in_time_is_made_at_the_next_start(data: Path) -> None:
    with share.use(data) as server:
        ask(server.database_url("postgres"), "drop database hourledger")
    with share.use(data) as server:
        assert ask(server.url, "select current_database()") == "hourledger"


# Made once

USERADD = """#!/bin/sh
exec /usr/sbin/useradd --prefix {} "$@"
"""


@as_root
def test_the_systems_user_is_made_once_however_many_need_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwd, useradd = place / "etc" / "passwd", place / "useradd"
    passwd.parent.mkdir()
    for name in ("passwd", "group", "shadow", "login.defs"):
        lines = Path("/etc", name).read_text().splitlines(keepends=True)
        (place / "etc" / name).write_text("".join(line for line in lines if not line.startswith("hourledger:")))
    useradd.write_text(USERADD.format(place))
    useradd.chmod(0o755)

    def named(name: str) -> Account:
        ids = {line.split(":")[0]: line.split(":")[2:4] for line in passwd.read_text().splitlines()}
        return Account(name, *map(int, ids[name]))

    monkeypatch.setattr(accounts, "PASSWD", passwd)
    monkeypatch.setattr(accounts, "_named_account", named)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(useradd))
    with ThreadPoolExecutor(4) as starting:
        found = [each.result() for each in [starting.submit(server_account) for _ in range(4)]]
    assert found == [named("hourledger")] * 4


# Closed to others


def test_it_is_not_on_the_network(data: Path) -> None:
    with share.use(data) as server:
        assert ask(server.url, "show listen_addresses") == ""
        assert postmaster_of(server).net_connections("inet") == []
        assert [found for process in servers_of(data) for found in on_the_network(process)] == []


def test_folders_are_private(data: Path) -> None:
    with share.use(data) as server:
        for folder in (server.postgres.folder, server.postgres.socket_dir, data / "log"):
            assert (mode(folder), folder.owner()) == (0o700, server.postgres.account.name)
        assert mode(server.postgres.socket_dir / SOCKET_NAME) == 0o700
        assert mode(data) == (0o711 if os.geteuid() == 0 else 0o700)
        assert (mode(data / "start.lock"), mode(data / "users.lock")) == (0o600, 0o600)


@as_root
def test_no_other_user_is_let_in(data: Path) -> None:
    with share.use(data) as server:

        def tried() -> str:
            psql = (server.postgres.binaries / "psql", "-w", "-c", "select 1", server.url)
            run = subprocess.run(
                psql, user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=(), cwd="/", capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert run.returncode != 0
            return run.stderr

        assert "Permission denied" in tried()
        server.postgres.socket_dir.chmod(0o711)
        (server.postgres.socket_dir / SOCKET_NAME).chmod(0o777)
        try:
            assert "Peer authentication failed" in tried()
        finally:
            server.postgres.socket_dir.chmod(0o700)


@as_root
def test_an_ordinary_user_runs_it_without_a_copy(data: Path, place: Path) -> None:
    place.chmod(0o755)
    os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    wheel = binaries(data, 18, server_account()).parents[2]
    with another_user(place, NOBODY.pw_uid, NOBODY.pw_gid, wheel) as (user, pid):
        assert psutil.Process(pid).uids().real == NOBODY.pw_uid
        assert {path.owner() for path in place.iterdir()} == {"nobody"}
        assert not list(place.glob("server-*"))
        with pytest.raises(EmbeddedError, match="belongs to another user"):
            share.use(place)
        let_go(user)
    assert not servers_of(place)


def test_a_user_without_a_name_is_refused() -> None:
    with pytest.raises(EmbeddedError, match="user id 2147483000 has no name"):
        account_of(2147483000)


@as_root
def test_root_runs_a_copy_that_everybody_can_read(data: Path) -> None:
    home = binaries(data, 18, server_account())
    assert home.is_relative_to(data)
    assert {(path.owner(), mode(path)) for path in (home, *home.iterdir())} == {("root", 0o755)}


@as_root
def test_a_folder_that_the_servers_user_cannot_reach_is_refused_and_left_as_it_is(place: Path) -> None:
    place.chmod(0o700)
    with pytest.raises(EmbeddedError, match=f"the system user 'hourledger' cannot enter {place / 'data'}: chmod"):
        share.use(place / "data")
    assert mode(place) == 0o700


@pytest.mark.parametrize(("folder", "open_to", "remedy"), [
    ("", 0o777, "chmod go-w"),
    ("run", 0o711, "chmod go-rwx"),
    ("log", 0o750, "chmod go-rwx"),
    ("postgresql-18", 0o755, "chmod go-rwx"),
])  # fmt: skip
def test_an_open_folder_is_refused(data: Path, folder: str, open_to: int, remedy: str) -> None:
    before = mode(data / folder)
    (data / folder).chmod(open_to)
    try:
        with pytest.raises(EmbeddedError, match=f"is open to other users: .*{remedy}"):
            share.use(data)
    finally:
        (data / folder).chmod(before)


def test_what_is_no_folder_is_refused(place: Path) -> None:
    (place / "file").touch()
    for path in (place / "file", place / "file" / "data"):
        with pytest.raises(EmbeddedError, match=r"not a folder|Not a directory"):
            share.use(path)
    (place / "data").mkdir(0o711)
    (place / "data" / "run").symlink_to(place)
    with pytest.raises(EmbeddedError, match="run is not a folder"):
        share.use(place / "data")


def test_another_version_is_refused(data: Path, place: Path) -> None:
    with pytest.raises(EmbeddedError, match="not for PostgreSQL 16"):
        share.use(data, version=16)
    with pytest.raises(EmbeddedError, match=r"no embedded PostgreSQL 15: the package has \[16, 18\]"):
        share.use(place, version=15)


def test_a_start_that_fails_says_why_in_one_line(data: Path) -> None:
    with pytest.raises(
        EmbeddedError, match=r"^PostgreSQL did not start: .* FATAL: .*not_there.* \(log: .*\)$"
    ) as failure:
        share.use(data, settings={"shared_preload_libraries": "not_there"})
    assert "\n" not in str(failure.value)
    assert 'could not access file "not_there"' in failure.value.log_tail
    with share.use(data) as server:
        assert ask(server.url, "select 1") == 1


# Paths


@contextmanager
def moved(data: Path, to: Path) -> Iterator[Path]:
    data.rename(to)
    try:
        yield to
    finally:
        to.rename(data)


def test_odd_characters_in_the_path(data: Path, place: Path) -> None:
    with moved(data, place / "it's (a; b)? é & # %20") as odd, share.use(odd) as server:
        assert ask(server.url, "select 1") == 1


@pytest.mark.parametrize("name", ["deep" * 30, "this, that"])
def test_a_path_that_no_client_could_name(data: Path, place: Path, name: str) -> None:
    with moved(data, place / name) as deep:
        with share.use(deep) as server:
            sockets = server.postgres.socket_dir
            assert not sockets.is_relative_to(deep)
            assert (mode(sockets), sockets.owner()) == (0o700, server.postgres.account.name)
            assert ask(server.url, "select 1") == 1
        sockets.rmdir()


def test_a_socket_folder_that_others_prepared_is_refused(place: Path) -> None:
    account = server_account()
    sockets = socket_folder(place / ("deep" * 30), account)
    try:
        sockets.chmod(0o777)
        with pytest.raises(EmbeddedError, match="open to other users: chmod go-w it"):
            socket_folder(place / ("deep" * 30), account)
        if os.geteuid() == 0:
            sockets.chmod(0o700)
            os.chown(sockets, NOBODY.pw_uid, NOBODY.pw_gid)
            with pytest.raises(EmbeddedError, match="belongs to another user"):
                socket_folder(place / ("deep" * 30), account)
    finally:
        sockets.rmdir()


def test_a_socket_nobody_listens_on_is_no_server(data: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(data / "run" / SOCKET_NAME))
    with share.use(data) as server:
        assert ask(server.url, "select 1") == 1
