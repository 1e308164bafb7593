"""Regenerates rollups from raw events, hour by hour, while readers and writers keep working.

An hour whose log is not what was appended is left as it is: a rebuild must not hide a damaged log (R5).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from projections import hourly
from projections.hours import Hour, each
from sql.database import Database

# While one hour is written under the checkpoint's lock, the next one's log is checked.
AT_A_TIME = 2

REBUILT = "rebuilt"
DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class RebuiltHour:
    """What became of one hour: rebuilt (rows_written rows were wrong), or damaged (left as it was)."""

    hour: Hour
    outcome: str
    rows_written: int = 0


async def rebuild_hour(database: Database, hour: Hour) -> RebuiltHour:
    """Replace one hour of the projection by a recount, if its log is whole."""
    statements = database.statements
    async with database.transaction() as session:
        await session.only(statements.hold_day, hour.start)
        check = await session.only(statements.check_log, hour.shard, hour.start)
        if not check["intact"]:
            return RebuiltHour(hour, DAMAGED)
        row = await session.only(statements.rebuild_hourly, hour.shard, hour.version, hour.start)
        await session.rows(statements.forget_drift, hour.shard, hourly.NAME, hour.start)
    return RebuiltHour(hour, REBUILT, row["rows_written"])


async def rebuild(database: Database, hours: list[Hour]) -> AsyncIterator[RebuiltHour]:
    """Rebuild every hour; give the outcomes in order."""
    async for _, rebuilt in each(hours, partial(rebuild_hour, database), at_a_time=AT_A_TIME):
        yield rebuilt
