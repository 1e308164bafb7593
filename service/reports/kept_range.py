"""What is still kept: nothing is said of a time of which only a part is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from service.errors import Expired
from service.questions.hours import time_text
from sql.database import Database

FIRST = datetime.min.replace(tzinfo=UTC)

Found = TypeVar("Found")


async def kept_since(database: Database, *names: str) -> datetime:
    """Return the moment from which on all of it is kept; the names are columns of read_kept, such as `events_since`."""
    row = await database.only(database.statements.read_kept)
    return max(row[name] or FIRST for name in names)


def first_kept(what: str, since: datetime, until: datetime, kept: datetime) -> datetime:
    """Return since when all of a range is kept. Raises Expired when nothing of it is."""
    if max(since, kept) >= until:
        raise Expired(f"{what} before {time_text(kept)} are not kept any more", "to")
    return max(since, kept)


async def read_within_kept(
    what: str,
    since: datetime,
    until: datetime,
    kept_since: Callable[[], Awaitable[datetime]],
    read: Callable[[datetime], Awaitable[Found]],
) -> tuple[datetime, Found]:
    """Return since when everything of a range is kept, and what `read` found from then on.

    Retention may drop its first day meanwhile: it is read again then. Raises Expired when nothing is kept.
    """
    kept = await kept_since()
    while True:
        start = first_kept(what, since, until, kept)
        found = await read(start)
        kept = await kept_since()
        if kept <= start:
            return start, found
