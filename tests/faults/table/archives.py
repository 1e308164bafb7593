"""Processes that write the archive, killed at each of their steps, two at once, and files that are lost or changed.

Lost are acked events that no current file holds at the end, or damage that is not told; doubled are events that files
hold twice. A file that is told although nothing changed it is a false alarm.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container, Iterable
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import asyncpg

from projections.archive import steps
from projections.archive.cleaning import clean
from projections.archive.keeper import Keeper
from projections.archive.proof import archived_files, prove
from service.ingest.event import Event
from sql.database import Database
from tests.faults.table.ground import DAY, Ground
from tests.faults.table.processes import die_at, run_all
from tests.support.archive import archived, current, rows_of, settle
from tests.support.file_damages import FILE_DAMAGES
from tests.support.oracle import HOUR

ALL_STEPS = (*steps.WRITE_STEPS, *steps.CLEANING_STEPS)
NOW = timedelta(0)


def keep(url: str, archive: Path, clock: datetime, step: str | None, times: int) -> None:
    """Fold, verify, archive and clean until nothing is left; be killed when a step was reached so many times."""
    die_at(step, times)

    async def work() -> None:
        database = Database(url, connections=2)
        await keep_archive(database, archive, clock)
        await database.close()

    asyncio.run(work())


async def keep_archive(database: Database, archive: Path, clock: datetime) -> None:
    """Fold, verify, archive and clean until nothing is left."""
    await settle(database, clock)
    keeper = Keeper(database, archive, clock)
    while await keeper.step():
        await clean(database, archive, patience=NOW)
    await clean(database, archive, patience=NOW)


async def kill_archivers(ground: Ground) -> None:
    """Kill one process after another, each at another step of writing, merging and cleaning."""
    for number in count():
        if ground.row.faults >= ground.trial.faults:
            break
        await ground.append()
        step, times = ALL_STEPS[number % len(ALL_STEPS)], 1 + number // len(ALL_STEPS) % 3
        arguments = (ground.url, ground.archive, clock_of(ground, number), step, times)
        ground.row.faults += await asyncio.to_thread(run_all, (keep, arguments))
        await check_files(ground)
    await compare(ground, number)


async def run_two_archivers(ground: Ground) -> None:
    """Let two processes keep one archive, one of which is killed at a step."""
    for number in range(ground.trial.faults):
        await ground.append()
        where = (ground.url, ground.archive, clock_of(ground, number))
        step = ALL_STEPS[number % len(ALL_STEPS)]
        await asyncio.to_thread(run_all, (keep, (*where, None, 0)), (keep, (*where, step, 1)))
        ground.row.faults += 1
        await check_files(ground)
    await compare(ground, ground.trial.faults)


async def change_files(ground: Ground) -> None:
    """Lose or change one file of the archive after another; each must be told, and no other."""
    archive = ground.archive
    for number in range(ground.trial.faults):
        await ground.append()
        await keep_archive(ground.database, archive, clock_of(ground, number))
        files = await archived_files(ground.database)
        changed = ground.chance.choice(files).file
        FILE_DAMAGES[list(FILE_DAMAGES)[number % len(FILE_DAMAGES)]](archive / changed, ground.chance)
        told = await _told(ground)
        ground.row.lost += changed not in told
        ground.row.false_alarms += len(told - {changed})
        ground.row.faults += 1
    await compare(ground, ground.trial.faults)


def clock_of(ground: Ground, number: int) -> datetime:
    """Return a later time for each fault, so that days are over and quiet, and hours are due again."""
    return ground.start + 3 * DAY + number * 2 * HOUR


async def _told(ground: Ground) -> set[str]:
    """Return the files that a proof finds damaged."""
    archive = ground.archive
    proofs = prove(ground.database, archive, await archived_files(ground.database))
    return {proof.file.file async for proof in proofs if proof.wrong is not None}


async def check_files(ground: Ground) -> None:
    """Count files that are damaged although nobody changed one: every state that a crash leaves is right."""
    ground.row.false_alarms += len(await _told(ground))


async def compare(ground: Ground, number: int) -> None:
    """Archive the rest, and compare the events in the files with the acked ones."""
    await archived(ground.database, ground.archive, clock_of(ground, number + 1))
    await compare_files(ground, ground.acked.values())


async def compare_files(ground: Ground, expected: Iterable[Event], days: Container[date] | None = None) -> None:
    """Compare the events in the files that hours are read from, of all days or of some, with those expected."""
    connection = await asyncpg.connect(ground.url)
    try:
        files = {
            hour: file for hour, file in (await current(connection)).items() if days is None or hour.date() in days
        }
    finally:
        await connection.close()
    found: Counter[str] = Counter()
    for file in set(files.values()):
        for event_id, timestamp in rows_of(ground.archive, file, "event_id, timestamp"):
            found[event_id] += files.get(timestamp.replace(minute=0, second=0, microsecond=0)) == file
    ground.count_differences(Counter(event.event_id for event in expected), +found)
