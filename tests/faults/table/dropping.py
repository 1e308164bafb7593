"""Days that leave the rows and then the archive, while processes that do it are killed at each of their steps.

Events come and questions are asked meanwhile. Lost are also acked events of kept days that no file holds at the end.
Clocks are parameters of a pass: a day passes from one fault to the next.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from itertools import count
from pathlib import Path

from projections.archive import steps
from projections.archive.cleaning import clean
from projections.retention import retain
from sql.database import Database
from sql.retention import Retention, record_retention
from tests.faults.table.archives import NOW, compare_files, keep_archive
from tests.faults.table.ground import DAY, RETENTION_DAYS, Ground
from tests.faults.table.processes import append_all, die_at, events_of, run_all
from tests.faults.table.questions import Settled, asked
from tests.support.oracle import HOUR
from tests.support.retired_days import reading_at

# Days that only the archive keeps.
KEPT_DAYS = 3
KEPT = Retention(RETENTION_DAYS + KEPT_DAYS, 10_000, RETENTION_DAYS)
STEPS = (*steps.LEAVING_STEPS, *steps.CLEANING_STEPS)
# Every third time another process does the same.
ALONE = 3


def drop_days(url: str, archive: Path, clock: datetime, step: str | None) -> None:
    """Archive what is due, take days out of rows and archive, and clean; be killed when a step is reached."""
    die_at(step, 1)

    async def work() -> None:
        database = Database(url, connections=2)
        await keep_archive(database, archive, clock)
        await _pass(database, archive, clock)
        await clean(database, archive, patience=NOW)
        await database.close()

    asyncio.run(work())


async def _pass(database: Database, archive: Path, clock: datetime, *, force: bool = False) -> None:
    reading = reading_at(clock)
    async for day in retain(database, KEPT, archive=archive, grace_days=1, force=force, reading=reading):
        if day.failed:
            raise AssertionError(f"a day is kept: {day}")


async def kill_droppers(ground: Ground) -> None:
    """Kill one process after another, each at another step, while an appender appends."""
    await record_retention(ground.database, KEPT)
    first = day = _midnight(await ground.append())
    await _pass(ground.database, ground.archive, _clock(first), force=True)
    for number in count():
        if ground.row.faults >= ground.trial.faults:
            break
        day = _midnight(await ground.append())
        # The retention of the day KEPT_DAYS before ends with this pass.
        settled = Settled(list(ground.acked.values()), first, day + DAY, max(first, day - (KEPT_DAYS - 1) * DAY))
        load = events_of(number, ground.trial.batch)
        where = (ground.url, ground.archive, _clock(day))
        steps_of_both = (STEPS[number % len(STEPS)], *([None] if number % ALONE == 0 else []))
        droppers = [(drop_days, (*where, step)) for step in steps_of_both]
        async with asked(ground, settled):
            appender = (append_all, (ground.url, number, load))
            ground.row.faults += await asyncio.to_thread(run_all, *droppers, appender)
        ground.ack(load)
        await ground.verify(day)
    await _end(ground, day)


async def _end(ground: Ground, day: datetime) -> None:
    """Let the days go on until nothing is left half done; then compare the files with the events of the kept days."""
    for more in range(1, KEPT_DAYS + 1):
        await asyncio.to_thread(run_all, (drop_days, (ground.url, ground.archive, _clock(day + more * DAY), None)))
    rows = await ground.database.rows("select day from archived_days where stage = 'kept'")
    kept = {row["day"] for row in rows}
    if not kept:
        raise AssertionError("the archive keeps no day")
    await compare_files(ground, [each for each in ground.acked.values() if each.timestamp.date() in kept], kept)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0)


def _clock(day: datetime) -> datetime:
    """Return a moment when a day is just past the horizon."""
    return day + (RETENTION_DAYS + 1) * DAY + HOUR
