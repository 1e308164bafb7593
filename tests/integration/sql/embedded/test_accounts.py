"""The user of the system that runs the embedded server."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from sql.embedded import accounts, share
from sql.embedded.accounts import Account, account_of, server_account
from sql.embedded.binaries import binaries
from sql.errors import EmbeddedError
from tests.support.embedded import NOBODY, another_user, as_root, let_go, mode, servers_of

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
