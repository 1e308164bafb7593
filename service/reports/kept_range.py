"""The part of a range that is kept. Reports count only times that are kept completely.

Retention drops days of events and hours of rollups, even while a report reads them. Then the report reads again:

    kept = await KeptRange.of(database, shards, since, until, EVENTS)
    while True:
        found = await read(kept.since, kept.until)
        if not await kept.shrank():
            return found
"""

from __future__ import annotations

from datetime import UTC, datetime

from service.archive import sources
from service.errors import Expired
from service.questions.hours import EVERYTHING, FIRST, QUARTER, time_text
from service.reports.shards import Shards
from sql.database import Database, Row

# The sources of a report.
EVENTS = sources.EVENTS
ROLLUPS = "rollups"
# A list shows all events that are left, so that it is cut only where retention took some: a young log has lost nothing.
RETIRED = "retired"
# Older versions of the schema did not count users, so users may be known only since an upgrade.
PEOPLE = "people"

NEVER = datetime.max.replace(tzinfo=UTC)


def since_of(row: Row, *parts: str) -> datetime:
    """Return the moment since which all parts are kept. parts: as kept_since has them. row: of read_kept."""
    return max(row[f"{part}_since"] or FIRST for part in parts)


async def kept_since(database: Database, shards: Shards, *parts: str) -> datetime:
    """Read the moment since which all parts are kept. parts: RETIRED alone, or of EVENTS, ROLLUPS, PEOPLE."""
    return since_of(await _read(database, shards, parts), *parts)


async def _read(database: Database, shards: Shards, parts: tuple[str, ...]) -> Row:
    statements = database.statements
    if parts == (RETIRED,):
        return await database.only(statements.read_retired)
    return await database.only(statements.read_kept, await shards.numbers())


async def data_since(database: Database, shards: Shards) -> datetime:
    """Read the quarter of an hour of the first event ever: FIRST when retention took it, NEVER without events."""
    row = await database.only(database.statements.read_beginning, await shards.numbers())
    return FIRST if row["is_retired"] else row["began"] or NEVER


async def begun(database: Database, shards: Shards, since: datetime, until: datetime) -> datetime:
    """Return the start of a range. EVERYTHING begins with the data, at the latest a quarter before its end."""
    if since != EVERYTHING:
        return since
    return min(await data_since(database, shards), until - QUARTER)


def first_kept(source: str, since: datetime, until: datetime, kept: datetime) -> datetime:
    """Return the start of the kept part of [since, until). Raises Expired, which names the source, when it is empty."""
    if max(since, kept) >= until:
        what = EVENTS if source == RETIRED else source
        raise Expired(f"{what} before {time_text(kept)} are not kept any more", "to")
    return max(since, kept)


class KeptRange:
    """The part of [since, until) that is kept completely. Retention may move its start.

    rows_since: from there on rows of the log have the events; before, files of the archive may be all that there is.
    """

    def __init__(
        self, database: Database, shards: Shards, since: datetime, until: datetime, source: str, *others: str
    ) -> None:
        self.since = since
        self.until = until
        self.rows_since = FIRST
        self._left: tuple[int, datetime | None] = (0, None)
        self._database = database
        self._shards = shards
        self._source = source
        self._others = others

    @classmethod
    async def of(
        cls, database: Database, shards: Shards, since: datetime, until: datetime, source: str, *others: str
    ) -> KeptRange:
        """Return the part of a range that is kept in the source and in the others. Raises Expired when it is empty."""
        kept = cls(database, shards, since, until, source, *others)
        await kept.moved()
        return kept

    @property
    def has_archived(self) -> bool:
        """Whether the archive has events whose rows are gone, inside or before the range."""
        return self.rows_since > FIRST

    async def shrank(self) -> bool:
        """Read again what is kept; return whether the start has moved. Raises Expired when the part is empty."""
        before = self.since
        await self.moved()
        return self.since > before

    async def moved(self) -> bool:
        """Read again what is kept; return whether the start has moved, or a day has left the rows or come back.

        For reports that read rows and files by statements of their own: one that began before a day left may miss the
        day's rows, and know nothing of the file that has them. Raises Expired when the part is empty.
        """
        before = self.since, self.rows_since, self._left
        parts = self._source, *self._others
        row = await _read(self._database, self._shards, parts)
        self.since = first_kept(self._source, self.since, self.until, since_of(row, *parts))
        self.rows_since, self._left = row["rows_since"] or FIRST, (row["days_left"], row["newest_left"])
        return (self.since, self.rows_since, self._left) != before
