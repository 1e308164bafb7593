"""Ends what readers of the schema bi keep open for too long, because a login can lift its own time limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from sql.database import Database

# The settings of a login end its statements, and its idle transactions, after 60 s. This is for those who lift them.
LONGEST = timedelta(seconds=90)
LOOK_SECONDS = 10.0

log = structlog.get_logger(__name__)


def reader_watch(database: Database, *, longest: timedelta = LONGEST) -> Callable[[], Awaitable[float]]:
    """Return the work of one look at the readers; it returns the seconds until the next.

    longest: how long a transaction of a reader may last.
    """
    told: set[str] = set()

    async def readers() -> float:
        for row in await database.rows(database.statements.end_long_readers, longest):
            if row["ended"]:
                seconds = round(row["lasted"].total_seconds())
                log.warning("a reader's session was ended", login=row["login"], pid=row["pid"], seconds=seconds)
            elif row["lasted"] is None and row["login"] not in told:
                told.add(row["login"])
                log.warning("the queries of a reader have no end: grant the login to our own role", login=row["login"])
        return LOOK_SECONDS

    return readers
