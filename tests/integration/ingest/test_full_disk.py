"""Events are refused while the disk is full, by readings that the test makes up. An import waits, and then says why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.errors import DiskFull
from service.imports.importer import Job, Tally, import_file
from service.imports.targets import Log
from service.ingest.appender import Appender
from service.ingest.disk_guard import DiskGuard
from service.ingest.outcomes import STORED
from sql.database import Database
from sql.embedded.disk import GIB, Room
from sql.errors import Unavailable
from tests.conftest import RETENTION_DAYS
from tests.support.appenders import until_available
from tests.support.imports import a_row, write_lines
from tests.support.log import an_event, stored

pytestmark = pytest.mark.versions("newest")


class Disk:
    """A disk whose room the test sets."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.guard = DiskGuard(Path(), lambda _: Room(100 * GIB, self.free), seconds=0)


async def test_nothing_is_kept_of_events_that_a_full_disk_refuses(database: Database, database_url: str) -> None:
    disk = Disk(10 * GIB)
    appender = Appender(database, RETENTION_DAYS, disk=disk.guard)
    await appender.start()
    await until_available(appender)
    assert await appender.append_one(an_event(0)) == STORED
    disk.free = 0
    for refused in (appender.append_one(an_event(1)), appender.append([an_event(2), an_event(3)])):
        with pytest.raises(DiskFull):
            await refused
    assert (appender.available, appender.admission.events) == (True, 0)
    disk.free = 10 * GIB
    assert await appender.append_one(an_event(4)) == STORED
    await appender.close()
    assert [row["event_id"] for row in await stored(database_url)] == ["evt_0", "evt_4"]


async def test_an_import_waits_for_room_and_goes_on(database: Database, tmp_path: Path) -> None:
    disk, tally = Disk(0), Tally()
    job = Job(write_lines(tmp_path / "events.ndjson", [a_row(n) for n in range(5)]))
    importing = asyncio.create_task(import_file(Log(database, RETENTION_DAYS, disk=disk.guard), job, tally))
    async with asyncio.timeout(60):
        while not disk.guard.full:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert tally.stored == 0
    disk.free = 10 * GIB
    await importing
    assert (tally.read, tally.stored) == (5, 5)


async def test_an_import_that_has_waited_long_enough_says_that_the_disk_is_full(
    database: Database, tmp_path: Path
) -> None:
    tally = Tally()
    job = Job(write_lines(tmp_path / "events.ndjson", [a_row(n) for n in range(5)]))
    with pytest.raises(
        Unavailable, match="the disk of the database has been full for 0 s: free space and run it again"
    ):
        await import_file(Log(database, RETENTION_DAYS, patience=0.1, disk=Disk(0).guard), job, tally)
    assert (tally.read, tally.stored) == (5, 0)
