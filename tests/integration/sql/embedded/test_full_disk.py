"""An embedded server on a disk that another program fills: the ballast makes room for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sql.embedded import share
from sql.errors import EmbeddedError
from tests.support.embedded import ask, kill_all, servers_of
from tests.support.small_disk import SmallDisk, small_disk, why_not

pytestmark = pytest.mark.skipif((reason := why_not()) is not None, reason=reason or "")


@pytest.fixture(scope="module")
def made_disk() -> Iterator[SmallDisk]:
    with small_disk() as disk:
        share.release(share.use(disk.data))
        yield disk


@pytest.fixture
def disk(made_disk: SmallDisk) -> Iterator[SmallDisk]:
    """Give a disk with a server's data and ballast; empty it of foreign files at the end."""
    with share.use(made_disk.data) as server:
        assert share.mind_ballast(server)
    yield made_disk
    made_disk.empty()
    if servers_of(made_disk.data):
        share.release(share.use(made_disk.data))


def test_it_starts_on_a_full_disk_by_giving_up_the_ballast(disk: SmallDisk) -> None:
    disk.fill()
    assert disk.room.free == 0
    with share.use(disk.data) as server:
        assert ask(server.url, "select 1") == 1
        assert disk.room.held == 0
        disk.empty()
        assert share.mind_ballast(server)
    assert disk.room.held == disk.room.ballast


def test_a_start_that_finds_no_room_at_all_names_the_disk(disk: SmallDisk) -> None:
    disk.fill()
    share.release(share.use(disk.data))
    disk.fill()
    told = rf"did not start: the disk of {disk.data} has \S+ bytes free: free space there \(log"
    with pytest.raises(EmbeddedError, match=told):
        share.use(disk.data)


def test_it_recovers_from_a_crash_on_a_full_disk(disk: SmallDisk) -> None:
    with share.use(disk.data) as server:
        ask(server.url, "create table if not exists committed as select 42 as number")
        kill_all(server)
        disk.fill()
        assert share.ensure_running(server)
        assert ask(server.url, "select number from committed") == 42
        assert disk.room.held == 0


def test_a_running_server_gets_the_ballast_s_room_before_it_panics(disk: SmallDisk) -> None:
    with share.use(disk.data) as server:
        disk.fill()
        assert not share.mind_ballast(server)
        assert disk.room.free > 0
        ask(server.url, "checkpoint")
        assert not share.ensure_running(server)
