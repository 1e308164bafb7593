"""The log's partitions, one per day. The last 30 days, and 14 days ahead, are made before an event needs them.

An older day is made when its first event comes, because each partition costs every question about the whole log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sql.database import Database
from sql.errors import Unavailable

DAYS_BACK = 30
DAYS_AHEAD = 14
_TRIES = 5


async def make_days(
    database: Database, retention_days: int, clock: datetime | None = None, others: Iterable[date] = ()
) -> int:
    """Make the missing days, each in a short transaction; return how many were made.

    retention_days: for a log that has recorded none. others: days to make as well, if the log accepts them.
    Raises sql.errors.Unavailable when a lock on `events` is held for longer than five tries.
    """
    query = database.statements.list_missing_days
    missing = await database.rows(query, retention_days, clock, DAYS_BACK, DAYS_AHEAD, sorted(others))
    made = [await _make_day(database, row["day"]) for row in missing]
    return sum(made)


async def _make_day(database: Database, day: object) -> bool:
    for _ in range(_TRIES - 1):
        try:
            return bool((await database.only(database.statements.make_day, day))["made"])
        except Unavailable:  # no pause: make_day has already waited for its lock timeout
            continue
    return bool((await database.only(database.statements.make_day, day))["made"])
