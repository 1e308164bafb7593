"""Regenerates rollups from raw events in place, hour by hour, while readers and writers keep working.

A rebuild leaves an hour alone when its log is not what was appended, because it must not hide a damaged log (R5). The
raw events of a kept hour are those of its file (R10). When an hour's events are gone, only its edges and its document
are mended, from its own rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from projections.archive.kept_hours import KeptHours
from projections.hours import Hour, each
from projections.verify import judge
from sql.database import Database, Row, Session
from sql.errors import Unreadable
from sql.hourly import BROKEN, DAMAGED, PROJECTION, RIGHT, SEALED

# Two, so that one hour's log is checked while the other hour is written under the checkpoint's lock.
AT_A_TIME = 2

REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True)
class RebuiltHour:
    """The outcome of one hour.

    outcome: rebuilt; sealed (the events are gone, and the seal holds); broken (the seal does not hold); damaged (the
    log or the file is not what was appended, or cannot be read, so nothing was changed). A kept hour is not changed
    either when it would be broken. rows_written: how many rows were wrong and were written.
    """

    hour: Hour
    outcome: str
    rows_written: int = 0


class _NotRight(Exception):
    """A kept hour is not right even with the rows that its file gives. Undoes the transaction."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


async def rebuild_hour(database: Database, hour: Hour, kept: KeptHours | None = None) -> RebuiltHour:
    """Replace one hour of the projection by a recount if its raw events are what was appended.

    kept: reads kept hours. Raises OSError when the hour is kept and the archive cannot be used.
    """
    try:
        async with database.transaction() as session:
            return await _rebuild(session, database, hour, kept or KeptHours())
    except Unreadable:
        return RebuiltHour(hour, DAMAGED)
    except _NotRight as error:
        return RebuiltHour(hour, error.state)


async def _rebuild(session: Session, database: Database, hour: Hour, kept: KeptHours) -> RebuiltHour:
    statements = database.statements
    await session.only(statements.hold_day, hour.start)
    read = await kept.load(session, hour.shard, hour.start)
    if read is not None:
        return await _rebuild_kept(session, database, hour, wrong=read.wrong is not None)
    check = await session.only(statements.check_log, hour.shard, hour.start)
    if check["retired"]:
        return await _mend(session, database, hour)
    if not check["intact"]:
        return RebuiltHour(hour, DAMAGED)
    return RebuiltHour(hour, REBUILT, await _written(session, database, hour, statements.rebuild_hourly))


async def _mend(session: Session, database: Database, hour: Hour) -> RebuiltHour:
    written = await _written(session, database, hour, database.statements.mend_sealed_hour)
    state, _ = judge(await _verified(session, database, hour))
    return RebuiltHour(hour, BROKEN if state == BROKEN else SEALED, written)


async def _rebuild_kept(session: Session, database: Database, hour: Hour, *, wrong: bool) -> RebuiltHour:
    """Rebuild an hour from its file. What was sealed proves the result: nothing else has a copy of the rows."""
    if wrong:
        return RebuiltHour(hour, DAMAGED)
    written = await _written(session, database, hour, database.statements.rebuild_hourly)
    state, _ = judge(await _verified(session, database, hour))
    if state not in RIGHT:
        raise _NotRight(state)
    return RebuiltHour(hour, REBUILT, written)


async def _written(session: Session, database: Database, hour: Hour, query: str) -> int:
    where = hour.shard, hour.version, hour.start
    row = await session.only(query, *where)
    await session.rows(database.statements.forget_drift, hour.shard, PROJECTION, hour.version, hour.start)
    return int(row["rows_written"])


async def _verified(session: Session, database: Database, hour: Hour) -> list[Row]:
    return await session.rows(database.statements.verify_hourly, hour.shard, hour.version, hour.start)


async def rebuild(database: Database, hours: list[Hour], kept: KeptHours | None = None) -> AsyncIterator[RebuiltHour]:
    """Rebuild every hour; yield the outcomes in order. kept, errors: as of rebuild_hour."""
    async for _, rebuilt in each(hours, partial(rebuild_hour, database, kept=kept), at_a_time=AT_A_TIME):
        yield rebuilt
