"""Regenerates rollups from raw events in place, hour by hour, while readers and writers keep working.

A rebuild leaves an hour alone when its log is not what was appended, because it must not hide a damaged log (R5). When
an hour's events are gone, only its edges and its document are mended, from its own rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from projections.hours import Hour, each
from sql.database import Database
from sql.errors import Unreadable
from sql.hourly import BROKEN, DAMAGED, PROJECTION, SEALED

# Two, so that one hour's log is checked while the other hour is written under the checkpoint's lock.
AT_A_TIME = 2

REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True)
class RebuiltHour:
    """The outcome of one hour.

    outcome: rebuilt; sealed (the events are gone, and the seal holds); broken (the seal does not hold); damaged (the
    log is not what was appended, or cannot be read, so nothing was changed). rows_written: how many rows were wrong and
    were written.
    """

    hour: Hour
    outcome: str
    rows_written: int = 0


async def rebuild_hour(database: Database, hour: Hour) -> RebuiltHour:
    """Replace one hour of the projection by a recount if its log is what was appended."""
    try:
        return await _rebuild(database, hour)
    except Unreadable:
        return RebuiltHour(hour, DAMAGED)


async def _rebuild(database: Database, hour: Hour) -> RebuiltHour:
    statements = database.statements
    where = hour.shard, hour.version, hour.start
    async with database.transaction() as session:
        await session.only(statements.hold_day, hour.start)
        check = await session.only(statements.check_log, hour.shard, hour.start)
        if not check["intact"] and not check["retired"]:
            return RebuiltHour(hour, DAMAGED)
        mend = statements.mend_sealed_hour if check["retired"] else statements.rebuild_hourly
        row = await session.only(mend, *where)
        await session.rows(statements.forget_drift, hour.shard, PROJECTION, hour.version, hour.start)
        if not check["retired"]:
            return RebuiltHour(hour, REBUILT, row["rows_written"])
        found = await session.rows(statements.verify_hourly, *where)
    broken = any(finding["finding"] == BROKEN for finding in found)
    return RebuiltHour(hour, BROKEN if broken else SEALED, row["rows_written"])


async def rebuild(database: Database, hours: list[Hour]) -> AsyncIterator[RebuiltHour]:
    """Rebuild every hour; yield the outcomes in order."""
    async for _, rebuilt in each(hours, partial(rebuild_hour, database), at_a_time=AT_A_TIME):
        yield rebuilt
