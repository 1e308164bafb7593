"""The embedded server is closed to the network and to all other users."""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from sql.embedded import share
from sql.embedded.folders import SOCKET_NAME
from sql.errors import EmbeddedError
from tests.support.embedded import NOBODY, as_root, ask, mode, postmaster_of, servers_of


def on_the_network(process: psutil.Process) -> list[object]:
    try:
        return list(process.net_connections("inet"))
    except psutil.NoSuchProcess:
        return []


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
def test_a_folder_that_the_servers_user_cannot_reach_is_refused_and_left_as_it_is(place: Path) -> None:
    place.chmod(0o700)
    with pytest.raises(EmbeddedError, match=f"the system user 'hourledger' cannot enter {place / 'data'}: chmod"):
        share.use(place / "data")
    with pytest.raises(EmbeddedError, match="cannot enter"):
        share.use(place / "a" / "b")
    assert mode(place) == 0o700
    assert list(place.iterdir()) == []  # it made folders and removed them


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
