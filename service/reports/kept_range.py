"""The part of a range that is kept. Reports count only times that are kept completely.

Retention drops days of events and hours of rollups, even while a report reads them. Then the report reads again:

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

# The sources of a report.
EVENTS = "events"
ROLLUPS = "rollups"
# A list shows all events that are left, so that it is cut only where retention took some: a young log has lost nothing.
RETIRED = "retired"
# Older versions of the schema did not count users, so users may be known only since an upgrade.
PEOPLE = "people"

FIRST = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


def since_of(row: Row, *parts: str) -> datetime:
    """Return the moment since which all parts are kept. parts: as kept_since has them. row: of read_kept."""
    return max(row[f"{part}_since"] or FIRST for part in parts)


async def kept_since(database: Database, *parts: str) -> datetime:
    """Read the moment since which all parts are kept. parts: RETIRED alone, or of EVENTS, ROLLUPS, PEOPLE."""
    statements = database.statements
    query = statements.read_retired if parts == (RETIRED,) else statements.read_kept
    return since_of(await database.only(query), *parts)


async def data_since(database: Database) -> datetime:
    """Read the quarter of an hour of the first event ever: FIRST when retention took it, NEVER without events."""
    row = await database.only(database.statements.read_beginning)
    return FIRST if row["is_retired"] else row["began"] or NEVER


def first_kept(source: str, since: datetime, until: datetime, kept: datetime) -> datetime:
    """Return the start of the kept part of [since, until). Raises Expired, which names the source, when it is empty."""
    if max(since, kept) >= until:
        what = EVENTS if source == RETIRED else source
        raise Expired(f"{what} before {time_text(kept)} are not kept any more", "to")
    return max(since, kept)


class KeptRange:
    """The part of [since, until) that is kept completely. Retention may move its start."""

    def __init__(self, database: Database, since: datetime, until: datetime, source: str, *others: str) -> None:
        self.since = since
        self.until = until
        self._database = database
        self._source = source
        self._others = others

    @classmethod
    async def of(cls, database: Database, since: datetime, until: datetime, source: str, *others: str) -> KeptRange:
        """Return the part of a range that is kept in the source and in the others. Raises Expired when it is empty."""
        kept = cls(database, since, until, source, *others)
        await kept.shrank()
        return kept

    async def shrank(self) -> bool:
        """Read again what is kept; return whether the start has moved. Raises Expired when the part is empty."""
        before = self.since
        kept = await kept_since(self._database, self._source, *self._others)
        self.since = first_kept(self._source, before, self.until, kept)
        return self.since > before
