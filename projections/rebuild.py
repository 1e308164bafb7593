"""Regenerates rollups from raw events in place, hour by hour, while readers and writers keep working.

It leaves an hour with a damaged log as it is, because a rebuild must not hide the damage (R5). For an hour whose events
are gone it mends only what its own rows tell: edges and the document.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from projections.hours import Hour, each
from sql.database import Database
from sql.hourly import BROKEN, DAMAGED, PROJECTION, SEALED

# One hour's log is checked while another hour is written under the checkpoint's lock.
AT_A_TIME = 2

REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True)
class RebuiltHour:
    """The outcome of one hour: rebuilt (rows_written rows were wrong), or left as it was: sealed, broken or damaged."""

    hour: Hour
    outcome: str
    rows_written: int = 0


async def rebuild_hour(database: Database, hour: Hour) -> RebuiltHour:
    """Replace one hour of the projection by a recount if its log is intact."""
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
    broken = any(finding["finding"] == "broken" for finding in found)
    return RebuiltHour(hour, BROKEN if broken else SEALED, row["rows_written"])


async def rebuild(database: Database, hours: list[Hour]) -> AsyncIterator[RebuiltHour]:
    """Rebuild every hour; give the outcomes in order."""
    async for _, rebuilt in each(hours, partial(rebuild_hour, database), at_a_time=AT_A_TIME):
        yield rebuilt
