"""Any path may hold the data; a socket is trusted only in a folder of the user's own."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sql.embedded import share
from sql.embedded.accounts import server_account
from sql.embedded.folders import SOCKET_NAME, socket_folder
from sql.errors import EmbeddedError
from tests.support.embedded import NOBODY, ask, mode


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
