"""Clocks that jump, and processes with a shorter retention, while retention passes run beside appends.

It proves that neither takes a day out of the log, and that appends go on. Clocks are parameters of a pass and of an
append, so it does not prove that a machine survives a jump of its clock in other ways.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from projections.retention import retain
from sql.clocks import Reading
from sql.database import Database
from sql.retention import Retention, record_retention
from tests.faults.table.ground import DAY, RETENTION_DAYS, Ground
from tests.support.retired_days import reading_at

KEPT = Retention(RETENTION_DAYS, 10_000, RETENTION_DAYS)
MINUTE = timedelta(minutes=1)
NO = timedelta(0)


async def jump_clocks(ground: Ground) -> None:
    """Before each append, let a pass run by clocks that are days ahead: the machine's, PostgreSQL's, or both."""
    start = datetime.now(UTC)
    await ground.append()
    kept = await record_retention(ground.database, KEPT)
    await _pass(ground, kept, reading_at(start))
    for number in range(1, ground.trial.faults + 1):
        now = start + number * MINUTE
        ahead = timedelta(days=ground.chance.randrange(2, 400))
        here, there = ground.chance.choice(((ahead, NO), (NO, ahead), *[(ahead, ahead)] * 3))
        boot = ground.chance.choice((reading_at(now).boot, f"restart {number}"))
        await _pass(ground, kept, Reading(boot, now.timestamp(), now + here, now + there))
        await ground.append(now + there)
        await _pass(ground, kept, reading_at(now))
        await ground.append(now)
        ground.row.faults += 1


async def shorten_retention(ground: Ground) -> None:
    """Before each append, let a process with a shorter retention than the one in force run a pass."""
    start = datetime.now(UTC)
    await record_retention(ground.database, KEPT)
    for number in range(1, ground.trial.faults + 1):
        await ground.append()
        asked = Retention(1, ground.chance.randrange(1, 10_000), 1)
        another = Database(ground.url, connections=1)
        kept = await record_retention(another, asked, lengthen=True)
        await another.close()
        if kept != KEPT:
            raise AssertionError(f"{kept} is in force")
        # A day after the events: past a retention of one day, and within the one in force.
        await _pass(ground, kept, reading_at(start + 2 * DAY + number * MINUTE), force=True)
        ground.row.faults += 1


async def _pass(ground: Ground, kept: Retention, reading: Reading, *, force: bool = False) -> None:
    """Run a pass; events of a day that leaves the log are lost to its readers."""
    async for retired in retain(ground.database, kept, reading=reading, force=force):
        ground.row.lost += retired.events
