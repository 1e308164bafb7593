"""Retention (R6): verifies and seals a day past the horizon, and only then drops it; later deletes its rollups, too.

Every step is a short transaction of its own and continues what an earlier pass did, so a pass may end anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from projections.hours import Hour, list_hours
from projections.projector import catch_up
from projections.verify import verify_hour
from sql import VERSION
from sql.database import Database, Row
from sql.errors import DatabaseError, Unavailable
from sql.hourly import SEALED, VERIFIED

# The projector retries a day that did not verify, or could not be dropped, after this time.
PATIENCE = timedelta(hours=1)
_TRIES = 5
UNFOLDED = "not folded yet"
GONE = "gone"  # another pass has dropped it

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetiredDay:
    """The outcome of a day past the horizon.

    events: how many were sealed. hindrance: why the events were kept; None when they were dropped.
    failed: something is wrong with the day, and it is kept until that is mended.
    in_use: another session held a lock on the log for too long; a later pass tries again.
    """

    day: date
    events: int
    hindrance: str | None = None
    failed: bool = False
    in_use: bool = False


async def retain(
    database: Database,
    retention_days: int,
    rollup_days: int,
    *,
    patience: timedelta = timedelta(0),
    clock: datetime | None = None,
) -> AsyncIterator[RetiredDay]:
    """Retire every day that is due, oldest first, then the rollups that are due; yield the outcome of each day.

    patience: the least time between two tries of a day that was kept.
    """
    statements = database.statements
    for shard in await database.rows(statements.list_shards):
        await _step(database, statements.advance_horizon, shard["shard"], retention_days, clock)
    for row in await database.rows(statements.list_overdue_days, patience, clock):
        await catch_up(database)
        retired = await _retire_day(database, row, clock)
        if retired.hindrance != GONE:
            _tell(retired)
            yield retired
        if retired.in_use:  # so are the other days, and waiting for their locks makes every append wait behind
            break
    await _retire_rollups(database, rollup_days, clock)


async def _retire_day(database: Database, row: Row, clock: datetime | None) -> RetiredDay:
    events = 0
    for hour in await list_hours(database, row["since"], row["until"]):
        state = await _seal(database, hour, clock)
        if state != SEALED:
            why = f"hour {hour.start:%H:%M} of shard {hour.shard} is {state}"
            return RetiredDay(row["day"], events, why, failed=state != UNFOLDED)
        events += hour.events
    return await _drop(database, RetiredDay(row["day"], events), clock)


async def _seal(database: Database, hour: Hour, clock: datetime | None) -> str:
    """Verify an hour and seal it; return its state after that."""
    proof = await verify_hour(database, hour, clock=clock)
    if proof.state != VERIFIED:
        return proof.state
    where = hour.shard, hour.version, hour.start
    row = await _step(database, database.statements.seal_hour, *where, *proof.folded, VERSION, clock)
    return SEALED if row["sealed"] else UNFOLDED


async def _drop(database: Database, day: RetiredDay, clock: datetime | None) -> RetiredDay:
    """Drop a day's events, or leave them to a later pass when others hold a lock on the log for long."""
    try:
        row = await _step(database, database.statements.drop_day, day.day, clock)
    except Unavailable as error:
        return RetiredDay(day.day, day.events, str(error), in_use=True)
    except DatabaseError as error:  # such as a view of the operator's on the day's table
        return RetiredDay(day.day, day.events, str(error), failed=True)
    return RetiredDay(day.day, day.events, row["hindrance"], row["failed"])


async def _retire_rollups(database: Database, rollup_days: int, clock: datetime | None) -> None:
    statements = database.statements
    for shard in await database.rows(statements.list_shards):
        for row in await database.rows(statements.list_overdue_rollups, shard["shard"], rollup_days, clock):
            await _step(database, statements.retire_rollups, shard["shard"], row["before"])


async def _step(database: Database, query: str, *args: object) -> Row:
    """Do one step in a transaction of its own; repeat it at once, up to 5 tries, while the database is Unavailable."""
    for _ in range(_TRIES - 1):
        try:
            return await database.only(query, *args)
        except Unavailable:
            continue
    return await database.only(query, *args)


def _tell(retired: RetiredDay) -> None:
    day = retired.day.isoformat()
    if retired.hindrance is None:
        (log.info if retired.events else log.debug)("events of a day dropped", day=day, events=retired.events)
    elif retired.failed:
        log.error("a day is kept", day=day, why=retired.hindrance)
    else:
        log.warning("a day is kept for now", day=day, why=retired.hindrance)
