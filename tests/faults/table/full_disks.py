"""A disk that another program fills while events come, beside readers. The disk is small and real."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event as Flag
from threading import Thread

from sql.embedded.share import EmbeddedServer, ensure_running, mind_ballast
from sql.errors import EmbeddedError
from tests.conftest import RunningService
from tests.faults.table.crowds import try_under_load
from tests.faults.table.ground import SECONDS, Ground
from tests.faults.table.load import reading
from tests.support.embedded import kill, servers_of
from tests.support.small_disk import SmallDisk
from tests.support.waiting import wait_until

# As often as the supervisor of a service looks.
WATCH_SECONDS = 1.0
# How many reads in a row must be answered while the disk is full.
READS = 20


async def fill_disks(ground: Ground) -> None:
    """Fill the disk partly or wholly, sometimes kill PostgreSQL on it, and free it once reads are answered."""
    disk = SmallDisk(ground.server.postgres.data_dir.parent)
    fill = partial(_fill, ground, disk)
    with _minded(ground.server):
        settings = {"HOURLEDGER_DATA_DIR": str(disk.data)}
        await asyncio.to_thread(try_under_load, ground, ground.url, fill, **settings)


@contextmanager
def _minded(server: EmbeddedServer) -> Iterator[None]:
    """Do for the server during the block what the supervisor of a service does."""
    stop = Flag()

    def mind() -> None:
        while not stop.wait(WATCH_SECONDS):
            with suppress(EmbeddedError):
                ensure_running(server)
                mind_ballast(server)

    thread = Thread(target=mind)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _fill(ground: Ground, disk: SmallDisk, running: RunningService) -> None:
    wait_until(lambda: disk.room.held, "the ballast is made", SECONDS)
    needed = disk.room.needed
    leave = ground.chance.choice((0, 0, ground.chance.randrange(needed)))
    with reading(running) as told, disk.filled(leave):
        if leave == 0 and ground.chance.random() < 0.5:
            kill(*servers_of(disk.data))
        wait_until(
            lambda: _metrics(running),
            "events are refused",
            SECONDS,
            holds=lambda told: "hourledger_disk_full 1.0" in told,
        )
        before = len(told)
        wait_until(
            lambda: told[before:][-READS:], "reads are answered", SECONDS, holds=lambda last: last == [200] * READS
        )


def _metrics(running: RunningService) -> str:
    with running.client() as client:
        return client.get("/metrics").text
