"""Processes share one embedded server; the last to leave stops it."""

import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen

from sql.embedded import share
from tests.support.embedded import ROOT, USER, another_user, ask, let_go, postmaster_of, servers_of


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
