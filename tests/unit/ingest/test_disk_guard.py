"""The guard of the disk, on readings that the test makes up."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import DiskFull
from service.http.answers import status_of
from service.ingest.disk_guard import DiskGuard
from sql.embedded.disk import GIB, MIB, Room

TOTAL = 100 * GIB


class Reading:
    """The room that the guard reads next."""

    def __init__(self, free: int, held: int = 256 * MIB) -> None:
        self.free, self.held, self.fails = free, held, False

    def __call__(self, folder: Path) -> Room:
        assert folder == Path("data")
        if self.fails:
            raise OSError
        return Room(TOTAL, self.free, self.held)


def refuses(guard: DiskGuard) -> bool:
    try:
        guard.check()
    except DiskFull:
        return True
    return False


def test_events_are_refused_below_what_recovery_needs_and_come_back_a_little_above() -> None:
    reading = Reading(GIB)
    guard = DiskGuard(Path("data"), reading, seconds=0)
    told = []
    for free in (GIB, GIB - 1, GIB + GIB // 4 - 1, GIB + GIB // 4, GIB, GIB - 1):
        reading.free = free
        told.append(refuses(guard))
    assert told == [False, True, True, False, False, True]


def test_without_its_ballast_as_much_more_must_be_free() -> None:
    guard = DiskGuard(Path("data"), Reading(GIB + 255 * MIB, held=0), seconds=0)
    with pytest.raises(DiskFull, match="must free space") as refused:
        guard.check()
    assert (refused.value.code, status_of(refused.value).number) == ("disk_full", 503)


def test_a_reading_counts_for_a_while_and_one_that_fails_changes_nothing() -> None:
    reading = Reading(2 * GIB)
    guard = DiskGuard(Path("data"), reading, seconds=3600)
    assert not refuses(guard)
    reading.free = 0
    assert not refuses(guard)
    guard = DiskGuard(Path("data"), reading, seconds=0)
    assert refuses(guard)
    reading.fails, reading.free = True, TOTAL
    assert refuses(guard)


@pytest.mark.parametrize(
    ("free", "why"),
    [
        (5 * GIB, None),
        (5 * GIB - 1, "5,368,709,119 bytes free, less than 5,368,709,120: delete other files there"),
        (GIB - 1, "1,073,741,823 bytes free, less than 1,342,177,280: delete other files there"),
    ],
)
def test_a_low_disk_is_told_with_its_room_and_what_to_do(free: int, why: str | None) -> None:
    told = DiskGuard(Path("data"), Reading(free), seconds=0).why_degraded()
    assert [why is not None and f"the disk of the database has {why}" in each for each in told] == (
        [] if why is None else [True]
    )
