"""The disk of the archive, full while its writer works, beside appends and questions. The disk is small and real."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from projections.archive import steps, writer
from projections.archive.errors import FULL
from tests.faults.table.archives import check_files, compare_files, keep
from tests.faults.table.ground import DAY, Ground
from tests.faults.table.processes import append_all, events_of, run_all
from tests.faults.table.questions import Settled, asked
from tests.support.archive import archived
from tests.support.small_disk import small_disk

# Bytes that are left. With more than none, a file or its name finds no room only when the writer does not look before.
LEFT = (0, 8_192, 32_768, 131_072)
PLENTY = 10**9


def keep_blindly(url: str, archive: Path, clock: datetime, step: str | None) -> None:
    """Keep the archive as if its disk had room; be killed when a step is reached."""
    vars(writer)["room_for"] = lambda _: PLENTY
    keep(url, archive, clock, step, 1)


async def fill_archive_disks(ground: Ground) -> None:
    """Fill the disk of the archive, let a writer work or be killed on it, and free it again."""
    disk = ground.opened.enter_context(small_disk())
    ground.archive = disk.data / "archive"
    first = day = (await ground.append()).replace(hour=0)
    for number in range(ground.trial.faults):
        day = (await ground.append()).replace(hour=0)
        clock = day + 2 * DAY
        settled = Settled(list(ground.acked.values()), first, day + DAY, first)
        step = steps.WRITE_STEPS[number // 4 % len(steps.WRITE_STEPS)] if number % 2 else None
        load = events_of(number, ground.trial.batch)
        async with asked(ground, settled):
            with disk.filled(LEFT[number % len(LEFT)]):
                appender = (append_all, (ground.url, number, load))
                await asyncio.to_thread(run_all, (keep_blindly, (ground.url, ground.archive, clock, step)), appender)
                await asyncio.to_thread(run_all, (keep, (ground.url, ground.archive, clock, None, 0)))
                await _check_told(ground)
            await asyncio.to_thread(run_all, (keep, (ground.url, ground.archive, clock, None, 0)))
        ground.row.faults += 1
        ground.ack(load)
        await check_files(ground)
    await archived(ground.database, ground.archive, day + 3 * DAY)
    old = [each for each in ground.acked.values() if each.timestamp < day + DAY]
    await compare_files(ground, old, {each.timestamp.date() for each in old})


async def _check_told(ground: Ground) -> None:
    state = await ground.database.only(ground.database.statements.read_archive_state)
    if state["why"] != FULL:
        raise AssertionError(f"the full disk is not told: {state['why']}")
