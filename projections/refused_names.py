"""Says in the log, once an hour, that new names are refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from sql.database import Database

LOOK_SECONDS = 60.0

log = structlog.get_logger(__name__)


def names_watch(database: Database) -> Callable[[], Awaitable[float]]:
    """Return the work of one look at the refused names; it returns the seconds until the next."""
    told: dict[tuple[int, str], datetime] = {}

    async def names() -> float:
        for row in await database.rows(database.statements.count_refused_names):
            of = row["site"], row["kind"]
            if row["is_now"] and told.get(of) != row["newest"]:
                told[of] = row["newest"]
                log.warning(
                    "new names count as (other): too many came in this hour (HOURLEDGER_NEW_NAMES_AN_HOUR) or in all",
                    site=row["site"],
                    kind=row["kind"],
                    hour=f"{row['newest']:%Y-%m-%dT%H:%MZ}",
                )
        return LOOK_SECONDS

    return names
