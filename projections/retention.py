"""Retention (R6, R13): verifies and seals a day past the horizon, and only then takes it out of the log.

Its events are dropped after a grace, in which they can be brought back. Much later its rollups are deleted, too. Every
step is a short transaction of its own and continues what an earlier pass did, so a pass may end anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog

from projections.hours import Hour, list_hours
from projections.projector import catch_up
from projections.verify import verify_hour
from sql import VERSION
from sql.clocks import Reading, read_clocks
from sql.database import Database, Row
from sql.errors import DatabaseError, Unavailable
from sql.hourly import SEALED, VERIFIED
from sql.retention import DAY, Retention, advance

# The projector retries a day that did not verify, or could not be dropped, after this time.
PATIENCE = timedelta(hours=1)
# How long events stay after their day has left the log, unless it is set.
GRACE_DAYS = 2
_TRIES = 5
UNFOLDED = "not folded yet"
GONE = "gone"  # another pass has dropped it

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetiredDay:
    """The outcome of a day past the horizon.

    events: how many were sealed. hindrance: why the events were kept; None when they left the log.
    failed: something is wrong with the day, and it is kept until that is mended.
    in_use: another session held a lock on the log for too long; a later pass tries again.
    dropped: the events, which had left the log before, were dropped for good, or should have been.
    """

    day: date
    events: int
    hindrance: str | None = None
    failed: bool = False
    in_use: bool = False
    dropped: bool = False


async def retain(
    database: Database,
    kept: Retention,
    *,
    grace_days: int = GRACE_DAYS,
    force: bool = False,
    patience: timedelta = timedelta(0),
    reading: Reading | None = None,
) -> AsyncIterator[RetiredDay]:
    """Retire every day that is due, oldest first; yield the outcome of each. Then drop days after their grace.

    kept: the retention in force. grace_days: how long events stay after their day has left the log.
    force: accept the clocks as they are, and move the horizon at once; every grace begins anew.
    patience: the least time between two tries of a day that was kept. reading: of the clocks; None: read them.
    """
    reading = reading or read_clocks()
    moment = await advance(database, kept, reading, force=force)
    grace = _Grace(moment, moment + grace_days * DAY)
    if force:
        await database.rows(database.statements.prolong_grace, grace.until)
    async for retired in _retire_days(database, grace, patience, reading.database):
        _tell(retired)
        yield retired
    async for dropped in _drop_days(database, moment):
        _tell(dropped)
        yield dropped
    await _retire_rollups(database, kept.rollup_days, moment)


@dataclass(frozen=True, slots=True)
class _Grace:
    """The time that passed, and the time until which a day that leaves the log now is not dropped."""

    moment: datetime
    until: datetime


async def _retire_days(
    database: Database, grace: _Grace, patience: timedelta, clock: datetime | None
) -> AsyncIterator[RetiredDay]:
    for row in await database.rows(database.statements.list_overdue_days, patience, clock, grace.moment):
        await catch_up(database)
        retired = await _retire_day(database, row, grace.until, clock)
        if retired.hindrance != GONE:
            yield retired
        if retired.in_use:  # so are the other days, and waiting for their locks makes every append wait behind
            break


async def _retire_day(database: Database, row: Row, until: datetime, clock: datetime | None) -> RetiredDay:
    events = 0
    for hour in await list_hours(database, row["since"], row["until"]):
        state = await _seal(database, hour, clock)
        if state != SEALED:
            why = f"hour {hour.start:%H:%M} of shard {hour.shard} is {state}"
            return RetiredDay(row["day"], events, why, failed=state != UNFOLDED)
        events += hour.events
    return await _detach(database, RetiredDay(row["day"], events), until, clock)


async def _seal(database: Database, hour: Hour, clock: datetime | None) -> str:
    """Verify an hour and seal it; return its state after that."""
    proof = await verify_hour(database, hour, clock=clock)
    if proof.state != VERIFIED:
        return proof.state
    where = hour.shard, hour.version, hour.start
    row = await step(database, database.statements.seal_hour, *where, *proof.folded, VERSION, clock)
    return SEALED if row["sealed"] else UNFOLDED


async def _detach(database: Database, day: RetiredDay, until: datetime, clock: datetime | None) -> RetiredDay:
    """Take a day's events out of the log, or leave them to a later pass when others hold a lock on it for long."""
    try:
        row = await step(database, database.statements.detach_day, day.day, until, clock)
    except Unavailable as error:
        return replace(day, hindrance=str(error), in_use=True)
    except DatabaseError as error:
        return replace(day, hindrance=str(error), failed=True)
    return replace(day, hindrance=row["hindrance"], failed=row["failed"])


async def _drop_days(database: Database, moment: datetime) -> AsyncIterator[RetiredDay]:
    for row in await database.rows(database.statements.list_detached_days):
        day = RetiredDay(row["day"], row["events"], dropped=True)
        try:
            if (await step(database, database.statements.drop_detached, day.day, moment))["dropped"]:
                yield day
        except Unavailable as error:
            yield replace(day, hindrance=str(error), in_use=True)
        except DatabaseError as error:  # such as a view of the operator's on the day's table
            yield replace(day, hindrance=str(error), failed=True)


async def _retire_rollups(database: Database, rollup_days: int, moment: datetime) -> None:
    statements = database.statements
    for shard in await database.rows(statements.list_shards):
        for row in await database.rows(statements.list_overdue_rollups, shard["shard"], rollup_days, moment):
            await step(database, statements.retire_rollups, shard["shard"], row["before"])


async def step(database: Database, query: str, *args: object) -> Row:
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
        what = "events of a day dropped" if retired.dropped else "a day left the log, and can be brought back"
        (log.info if retired.events else log.debug)(what, day=day, events=retired.events)
    elif retired.failed:
        log.error("a day is kept", day=day, why=retired.hindrance)
    else:
        log.warning("a day is kept for now", day=day, why=retired.hindrance)
