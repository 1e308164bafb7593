"""The part of a range that is kept. Reports never count a time of which only a part is kept.

Retention drops days of events and hours of rollups, also while a report reads them. Such a report reads again:

    kept = await KeptRange.of(database, since, until, EVENTS)
    while True:
        found = await read(kept.since, kept.until)
        if not await kept.shrank():
            return found
"""

from __future__ import annotations

from datetime import UTC, datetime

from service.errors import Expired
from service.questions.hours import time_text
from sql.database import Database, Row

# What a report counts.
EVENTS = "events"
ROLLUPS = "rollups"
# The log tells users apart since some version of the schema; before it nothing is known of them.
PEOPLE = "people"

FIRST = datetime.min.replace(tzinfo=UTC)


def since_of(row: Row, *parts: str) -> datetime:
    """Return since when all of EVENTS, ROLLUPS or PEOPLE, whichever are named, are kept. row: of read_kept."""
    return max(row[f"{part}_since"] or FIRST for part in parts)


async def kept_since(database: Database, *parts: str) -> datetime:
    """Ask the database since when all of EVENTS, ROLLUPS or PEOPLE, whichever are named, are kept."""
    return since_of(await database.only(database.statements.read_kept), *parts)


def first_kept(source: str, since: datetime, until: datetime, kept: datetime) -> datetime:
    """Return the start of what is kept of [since, until). Raises Expired, which names the source, when nothing is."""
    if max(since, kept) >= until:
        raise Expired(f"{source} before {time_text(kept)} are not kept any more", "to")
    return max(since, kept)


class KeptRange:
    """The part of [since, until) of which everything is kept. Retention may move its start."""

    def __init__(self, database: Database, since: datetime, until: datetime, source: str, *others: str) -> None:
        self.since = since
        self.until = until
        self._database = database
        self._source = source
        self._others = others

    @classmethod
    async def of(cls, database: Database, since: datetime, until: datetime, source: str, *others: str) -> KeptRange:
        """Return what is kept of a range, of the source and of the others. Raises Expired when that is nothing."""
        kept = cls(database, since, until, source, *others)
        await kept.shrank()
        return kept

    async def shrank(self) -> bool:
        """Look again; tell whether the start has moved. Raises Expired when nothing of the range is left."""
        before = self.since
        kept = await kept_since(self._database, self._source, *self._others)
        self.since = first_kept(self._source, before, self.until, kept)
        return self.since > before
