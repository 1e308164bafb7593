"""The embedded server: its processes, its folders, and others who use it."""

import asyncio
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import not_
from pathlib import Path
from subprocess import PIPE, Popen

import asyncpg
import psutil
import pytest

from sql.embedded.share import EmbeddedServer
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
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
    wait_until(lambda: servers_of(server.postgres.data_dir), "the server is gone", 60, holds=not_)


def ask(url: str, query: str) -> object:
    async def asked() -> object:
        connection = await asyncpg.connect(url, timeout=60)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777
