"""The log's partitions, made before an event needs them: one per day, from the horizon to 14 days ahead."""

from __future__ import annotations

from datetime import datetime

from sql.database import Database
from sql.errors import Unavailable

DAYS_AHEAD = 14
_TRIES = 5


async def make_days(database: Database, retention_days: int, clock: datetime | None = None) -> int:
    """Make the missing days, each in a short transaction; return how many were made.

    Raises sql.errors.Unavailable when a lock on `events` is held for longer than five tries.
    """
    statements = database.statements
    missing = await database.rows(statements.list_missing_days, retention_days, clock, DAYS_AHEAD)
    made = [await _make_day(database, row["day"]) for row in missing]
    return sum(made)


async def _make_day(database: Database, day: object) -> bool:
    for _ in range(_TRIES - 1):
        try:
            return bool((await database.only(database.statements.make_day, day))["made"])
        except Unavailable:  # no pause: make_day has already waited for its lock timeout
            continue
    return bool((await database.only(database.statements.make_day, day))["made"])
