"""Retention (R6, R10, R13): verifies and seals a day past the horizon, and only then takes it out of the log.

While its events are to be kept, the archive keeps the day, whose files are proven before its rows go. Whatever goes can
be brought back during a grace. Much later the day's rollups are deleted, too. Every step is a short transaction of its
own and continues what an earlier pass did, so a pass may end anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import structlog

from projections.archive import steps
from projections.archive.kept_days import NotProven, prove_day
from projections.hours import Hour, list_hours
from projections.projector import catch_up
from projections.verify import UNCHECKED, verify_hour
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
# How long a day may take to come back from the archive. What is older was left by an import that did not end.
RESTORING = timedelta(days=1)
_TRIES = 5
UNFOLDED = "not folded yet"
GONE = "gone"  # another pass was faster

# The stage of a day in archived_days.
KEPT = "kept"
# What happened to a day, by whether something is dropped for good, and whether the archive keeps its events.
TOLD = {
    (False, False): "a day left the answers about events, and can be brought back",
    (False, True): "a day left the rows; the archive keeps it",
    (True, True): "the rows of a day dropped; the archive keeps it",
    (True, False): "events of a day dropped",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetiredDay:
    """One step of a day past the horizon: its events left the answers, and can be brought back.

    events: how many were sealed. hindrance: why the step was not done.
    failed: something is wrong with the day, and the step waits until that is mended.
    in_use: another session held a lock on the log for too long; a later pass tries again.
    dropped: what had left before is dropped for good. archived: only rows go, because the archive keeps the events.
    """

    day: date
    events: int
    hindrance: str | None = None
    failed: bool = False
    in_use: bool = False
    dropped: bool = False
    archived: bool = False


async def retain(
    database: Database,
    kept: Retention,
    *,
    archive: Path | None = None,
    grace_days: int = GRACE_DAYS,
    force: bool = False,
    patience: timedelta = timedelta(0),
    reading: Reading | None = None,
) -> AsyncIterator[RetiredDay]:
    """Retire every day that is due, oldest first; yield the outcome of each. Then drop days after their grace.

    kept: the retention in force. archive: its folder; without one no day leaves the rows while its events are kept.
    grace_days: how long events stay after their day has left the log.
    force: accept the clocks as they are, and move the horizon at once; every grace begins anew.
    patience: the least time between two tries of a day that was kept. reading: of the clocks; None: read them.
    """
    reading = reading or read_clocks()
    moment = await advance(database, kept, reading, force=force)
    grace = _Grace(moment, moment + grace_days * DAY)
    if force:
        await database.rows(database.statements.prolong_grace, grace.until)
    for part in (
        _retire_days(database, kept, archive, grace, patience, reading.database),
        _leave_archive(database, kept, grace, at_once=force),
        _drop_rows(database, archive, moment),
        _forget_archived(database, moment),
    ):
        async for retired in part:
            _tell(retired)
            yield retired
    await _retire_rollups(database, kept.rollup_days, moment)
    with suppress(Unavailable):  # a reader holds such a table; a later pass drops it
        await database.rows(database.statements.drop_restored, RESTORING)
    await database.rows(database.statements.forget_tombstones)


@dataclass(frozen=True, slots=True)
class _Grace:
    """The time that passed, and the time until which a day that leaves the log now is not dropped."""

    moment: datetime
    until: datetime


async def _retire_days(
    database: Database,
    kept: Retention,
    archive: Path | None,
    grace: _Grace,
    patience: timedelta,
    clock: datetime | None,
) -> AsyncIterator[RetiredDay]:
    query = database.statements.list_overdue_days
    for row in await database.rows(query, patience, clock, grace.moment, kept.event_days):
        await catch_up(database)
        retired = await _retire_day(database, row, archive, grace.until, clock)
        if retired.hindrance != GONE:
            yield retired
        if retired.in_use:  # so are the other days, and waiting for their locks makes every append wait behind
            break


async def _retire_day(
    database: Database, row: Row, archive: Path | None, until: datetime, clock: datetime | None
) -> RetiredDay:
    events = 0
    for hour in await list_hours(database, row["since"], row["until"]):
        state = await seal(database, hour, clock)
        if state == UNCHECKED:  # only the archive has the hour now
            return RetiredDay(row["day"], events, GONE)
        if state != SEALED:
            why = f"hour {hour.start:%H:%M} of shard {hour.shard} is {state}"
            return RetiredDay(row["day"], events, why, failed=state != UNFOLDED)
        steps.reached(steps.HOUR_SEALED)
        events += hour.events
    day = RetiredDay(row["day"], events, archived=row["is_kept"])
    try:
        proven = await prove_day(database, archive, row["since"], row["until"]) if day.archived else None
    except NotProven as error:
        return replace(day, hindrance=str(error), failed=error.failed)
    steps.reached(steps.KEPT_PROVEN)
    return await _detach(database, day, until, clock, proven)


async def seal(database: Database, hour: Hour, clock: datetime | None) -> str:
    """Verify an hour and seal it; return its state after that."""
    proof = await verify_hour(database, hour, clock=clock)
    if proof.state != VERIFIED:
        return proof.state
    where = hour.shard, hour.version, hour.start
    row = await step(database, database.statements.seal_hour, *where, *proof.folded, VERSION, clock)
    return SEALED if row["sealed"] else UNFOLDED


async def _detach(
    database: Database, day: RetiredDay, until: datetime, clock: datetime | None, proven: list[str] | None
) -> RetiredDay:
    """Take a day's rows out of the log, or leave them to a later pass when others hold a lock on it for long."""
    try:
        row = await step(database, database.statements.detach_day, day.day, until, clock, proven)
    except Unavailable as error:
        return replace(day, hindrance=str(error), in_use=True)
    except DatabaseError as error:
        return replace(day, hindrance=str(error), failed=True)
    steps.reached(steps.ROWS_DETACHED)
    return replace(day, hindrance=row["hindrance"], failed=row["failed"])


async def _leave_archive(
    database: Database, kept: Retention, grace: _Grace, *, at_once: bool
) -> AsyncIterator[RetiredDay]:
    """Take the oldest day that is past the retention of events, or all of them, out of the archive."""
    query = database.statements.leave_archive
    for row in await database.rows(query, kept.event_days, grace.moment, grace.until, at_once):
        steps.reached(steps.ARCHIVE_LEFT)
        yield RetiredDay(row["day"], row["events"])


async def _forget_archived(database: Database, moment: datetime) -> AsyncIterator[RetiredDay]:
    for row in await database.rows(database.statements.forget_archived_days, moment):
        steps.reached(steps.DAY_FORGOTTEN)
        yield RetiredDay(row["day"], row["events"], dropped=True)


async def _drop_rows(database: Database, archive: Path | None, moment: datetime) -> AsyncIterator[RetiredDay]:
    for row in await database.rows(database.statements.list_detached_days):
        if row["until"] <= moment:
            day = await _drop(database, row, archive, moment)
            if day.hindrance != GONE:
                yield day


async def _drop(database: Database, row: Row, archive: Path | None, moment: datetime) -> RetiredDay:
    """Drop the rows of a day for good. When the archive keeps the day, its files are proven once more before."""
    day = RetiredDay(row["day"], row["events"], dropped=True, archived=row["stage"] is not None)
    try:
        kept = row["stage"] == KEPT
        proven = await prove_day(database, archive, row["since"], row["next_day"]) if kept else None
        steps.reached(steps.ONLY_COPY_PROVEN)
        hindrance = (await step(database, database.statements.drop_detached, day.day, moment, proven))["hindrance"]
        steps.reached(steps.ROWS_DROPPED)
        return replace(day, hindrance=hindrance, failed=hindrance is not None)
    except NotProven as error:
        return replace(day, hindrance=f"{error}; make undrop brings the rows back", failed=error.failed)
    except Unavailable as error:
        return replace(day, hindrance=str(error), in_use=True)
    except DatabaseError as error:  # such as a view of the operator's on the day's table
        return replace(day, hindrance=str(error), failed=True)


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
        what = TOLD[retired.dropped, retired.archived]
        (log.info if retired.events else log.debug)(what, day=day, events=retired.events)
    elif retired.failed:
        log.error("a day is kept", day=day, why=retired.hindrance)
    else:
        log.warning("a day is kept for now", day=day, why=retired.hindrance)
