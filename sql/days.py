"""The log's partitions, one per day. Yesterday, today and two days ahead are made before an event needs them.

An older day is made when its first event comes, because each partition costs every question about the whole log, and
every connection that asks its first one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sql.database import Database
from sql.errors import Unavailable

DAYS_BACK = 1
DAYS_AHEAD = 2
# A month, so that the usual retention never meets it. A day takes some 20 ms, during which the events of others wait.
MOST_AT_ONCE = 32
_TRIES = 5


async def make_days(
    database: Database, retention_days: int, clock: datetime | None = None, others: Iterable[date] = ()
) -> int:
    """Make the missing days, each in a short transaction; return how many were made.

    retention_days: for a log that has recorded none. others: days to make as well, if the log accepts them.
    Raises sql.errors.Unavailable when a lock on `events` is held for longer than five tries.
    """
    made = [await _make_day(database, day) for day in await _missing(database, retention_days, clock, others)]
    return sum(made)


async def make_days_of(
    database: Database, retention_days: int, clock: datetime | None, days: Iterable[date]
) -> set[date]:
    """Make the missing days of events, the newest first; return those that are left, because it makes few at once.

    Raises as make_days does.
    """
    newest_first = (await _missing(database, retention_days, clock, days))[::-1]
    for day in newest_first[:MOST_AT_ONCE]:
        await _make_day(database, day)
    return set(newest_first[MOST_AT_ONCE:])


async def _missing(
    database: Database, retention_days: int, clock: datetime | None, others: Iterable[date]
) -> list[date]:
    query = database.statements.list_missing_days
    rows = await database.rows(query, retention_days, clock, DAYS_BACK, DAYS_AHEAD, sorted(others))
    return [row["day"] for row in rows]


async def _make_day(database: Database, day: date) -> bool:
    for _ in range(_TRIES - 1):
        try:
            return bool((await database.only(database.statements.make_day, day))["made"])
        except Unavailable:  # no pause: make_day has already waited for its lock timeout
            continue
    return bool((await database.only(database.statements.make_day, day))["made"])
