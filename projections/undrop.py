"""Brings days back that retention took out of the log, while their events are still there (R13)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from projections.archive.kept_hours import KeptHours
from projections.hours import list_hours
from projections.restoring import bounds
from projections.retention import GRACE_DAYS, step
from projections.verify import verify
from sql.clocks import Reading, read_clocks
from sql.database import Database, Row
from sql.hourly import RIGHT
from sql.retention import DAY, time_passed


@dataclass(frozen=True, slots=True)
class ReturnedDay:
    """A day that is in the log again, or in the archive.

    wrong: how many of its hours do not verify. until: retention leaves the day alone until then.
    archived: its rows were dropped before, and the archive keeps its events again.
    """

    day: date
    events: int
    wrong: int
    until: datetime
    archived: bool = False


async def undrop(
    database: Database,
    since: date | None = None,
    *,
    archive: Path | None = None,
    grace_days: int = GRACE_DAYS,
    reading: Reading | None = None,
) -> AsyncIterator[ReturnedDay]:
    """Bring back the days from `since` on that left and are still there, newest first, and verify them.

    A day whose rows are there comes back into the log, any other into the archive. The days stay closed for appends.
    Answers about events begin after the newest day that is gone, so the days that come back are always the newest ones.
    archive: its folder; without one no hour of a day that is back in the archive counts as right.
    Raises sql.errors.Unavailable when the log is in use for long; days that are back stay.
    """
    moment = await time_passed(database, reading or read_clocks())
    until = moment + max(grace_days, 1) * DAY
    for row in await database.rows(database.statements.list_days_to_bring_back):
        if since is not None and row["day"] < since:
            break
        if await _bring_back(database, row, until):
            wrong = await _wrong_hours(database, row["day"], archive)
            yield ReturnedDay(row["day"], row["events"], wrong, until, archived=not row["has_rows"])


async def _bring_back(database: Database, row: Row, until: datetime) -> bool:
    if row["has_rows"]:
        return bool((await step(database, database.statements.attach_day, row["day"], until))["attached"])
    return bool(await database.rows(database.statements.keep_archived_day, row["day"], until))


async def _wrong_hours(database: Database, day: date, archive: Path | None) -> int:
    hours = await list_hours(database, *bounds(day))
    with KeptHours(archive) as kept:
        return len([proof async for proof in verify(database, hours, kept) if proof.state not in RIGHT])
