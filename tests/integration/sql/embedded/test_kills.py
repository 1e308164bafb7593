"""An embedded server that was killed comes back with what was committed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from sql.embedded import share
from sql.embedded.accounts import server_account
from sql.embedded.folders import SOCKET_NAME
from tests.conftest import words_of
from tests.support.embedded import another_user, ask, kill, kill_all, postmaster_of, servers_of
from tests.support.waiting import wait_until


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
            wait_until(
                lambda: [words_of(process) for process in servers_of(data)],
                "the statement runs",
                60,
                holds=lambda running: any("DO" in " ".join(words) for words in running),
            )
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
