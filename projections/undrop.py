"""Brings days back that retention took out of the log, while their events are still there (R13)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from projections.hours import list_hours
from projections.retention import GRACE_DAYS, step
from projections.verify import verify
from sql.clocks import Reading, read_clocks
from sql.database import Database
from sql.hourly import RIGHT
from sql.retention import DAY, time_passed


@dataclass(frozen=True, slots=True)
class ReturnedDay:
    """A day that is in the log again.

    wrong: how many of its hours do not verify. until: retention leaves the day alone until then.
    """

    day: date
    events: int
    wrong: int
    until: datetime


async def undrop(
    database: Database,
    since: date | None = None,
    *,
    grace_days: int = GRACE_DAYS,
    reading: Reading | None = None,
) -> AsyncIterator[ReturnedDay]:
    """Bring back the detached days from `since` on, newest first, and verify them. The days stay closed for appends.

    Answers about events begin after the newest retired day, so the days that come back are always the newest ones.
    Raises sql.errors.Unavailable when the log is in use for long; days that are back stay.
    """
    moment = await time_passed(database, reading or read_clocks())
    until = moment + max(grace_days, 1) * DAY
    for row in reversed(await database.rows(database.statements.list_detached_days)):
        if since is not None and row["day"] < since:
            break
        if (await step(database, database.statements.attach_day, row["day"], until))["attached"]:
            yield ReturnedDay(row["day"], row["events"], await _wrong_hours(database, row["day"]), until)


async def _wrong_hours(database: Database, day: date) -> int:
    start = datetime.combine(day, time(), UTC)
    hours = await list_hours(database, start, start + timedelta(days=1))
    return len([proof async for proof in verify(database, hours) if proof.state not in RIGHT])
