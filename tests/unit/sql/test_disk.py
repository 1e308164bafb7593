"""The room of a disk: bounds by its size, the ballast, and whose disk it is."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sql.embedded.ballast import Ballast
from sql.embedded.disk import GIB, MIB, Room, room_of
from sql.embedded.folders import is_of


@pytest.mark.parametrize(
    ("total", "low", "most_wal", "reserve", "ballast"),
    [
        (512 * MIB, 2 * GIB, 64 * MIB, 32 * MIB, 64 * MIB),
        (20 * GIB, 2 * GIB, 1 * GIB, 512 * MIB, 128 * MIB),
        (40 * GIB, 2 * GIB, 2 * GIB, 1 * GIB, 256 * MIB),
        (1000 * GIB, 50 * GIB, 2 * GIB, 1 * GIB, 256 * MIB),
    ],
)
def test_bounds_follow_from_the_size_of_the_disk(
    total: int, low: int, most_wal: int, reserve: int, ballast: int
) -> None:
    room = Room(total, total)
    assert (room.low, room.most_wal, room.reserve, room.ballast) == (low, most_wal, reserve, ballast)
    assert Room(total, total, held=ballast).needed == reserve
    assert room.needed == reserve + ballast


def test_the_ballast_takes_real_room_and_gives_it_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, lambda _: Room(512 * MIB, 512 * MIB))
    assert ballast.is_due()
    assert ballast.make()
    assert ballast.file.stat().st_blocks * 512 >= 64 * MIB
    assert ballast.file.stat().st_mode & 0o777 == 0o600
    assert room_of(tmp_path).held == 64 * MIB
    assert not ballast.is_due()
    assert ballast.release()
    assert not ballast.release()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("free", "makes", "removes", "removes_for_start"),
    [(128, True, False, False), (127, False, False, False), (63, False, False, True), (15, False, True, True)],
)
def test_the_ballast_comes_and_goes_with_the_room(
    tmp_path: Path, free: int, makes: bool, removes: bool, removes_for_start: bool
) -> None:
    ballast = Ballast(tmp_path, lambda _: Room(512 * MIB, free * MIB))
    assert ballast.is_due() == makes
    ballast.file.touch()
    assert ballast.is_due() == removes
    assert ballast.release_for_start() == removes_for_start
    assert ballast.file.exists() != removes_for_start


def test_a_ballast_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    class Large(Room):
        ballast = 2**62

    assert not Ballast(tmp_path, lambda _: Large(2**60, 2**60)).make()
    assert not list(tmp_path.iterdir())


def test_a_ballast_beyond_a_quota_is_tried_rarely_and_told_once(tmp_path: Path) -> None:
    class Large(Room):
        ballast = 2**50

    seconds = iter((1.0, 2.0, 599.0, 601.0, 602.0, 603.0))
    ballast = Ballast(tmp_path, lambda _: Large(2**60, 2**60), lambda: next(seconds))
    with capture_logs() as told:
        assert not ballast.make()
        assert [ballast.is_due() for _ in range(3)] == [False, False, True]
        assert not ballast.make()
        assert not ballast.is_due()
    assert [each["event"] for each in told] == ["the ballast cannot be made"]


@pytest.mark.parametrize(
    ("url", "theirs"),
    [
        ("postgresql://hourledger@/hourledger?host={data}/run&port=5432", True),
        ("postgresql://hourledger@/hourledger?host=/tmp/hourledger-7-{short}&port=5432", True),
        ("postgresql://hourledger@/hourledger?host={data}/other/run&port=5432", False),
        ("postgresql://hourledger@/hourledger?host=/tmp/hourledger-7-0123456789abcdef", False),
        ("postgresql://user@db.example/hourledger", False),
        ("", False),
    ],
)
def test_a_server_is_that_of_a_data_directory_by_its_socket(tmp_path: Path, url: str, theirs: bool) -> None:
    short = sha256(bytes(tmp_path.resolve())).hexdigest()[:16]
    assert is_of(url.format(data=tmp_path.resolve(), short=short), tmp_path) == theirs
