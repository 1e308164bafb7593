"""Writes events of one shard into the log, in a transaction. The appender decides when, and what to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from service.ingest.event import Event
from service.ingest.outcomes import STORED, UNAVAILABLE
from sql.database import Database
from sql.days import make_days_of
from sql.errors import DatabaseError, MissingDay


class LogWriter:
    """Writes into the log of one database. clock: the time to judge events by, None for the database's clock.

    opened_day: the day of all events, which is open for history. new_names: how many new names of each kind a site may
    have in an hour, None for any number.
    """

    def __init__(
        self,
        database: Database,
        retention_days: int,
        clock: datetime | None,
        opened_day: date | None = None,
        new_names: int | None = None,
    ) -> None:
        self._database = database
        self._retention_days = retention_days
        self._clock = clock
        self._opened_day = opened_day
        self._new_names = new_names

    async def shards_of(self, site: int) -> list[int]:
        """Return the shards of a site, ascending. Raises sql.errors.DatabaseError."""
        rows = await self._database.rows(self._database.statements.list_shards_of_site, site)
        return [row["shard"] for row in rows]

    async def can_append(self, shard: int) -> bool:
        """Return whether a shard takes events. It tries an append without events, which takes the locks and commits."""
        try:
            await self.append(shard, [])
        except DatabaseError:
            return False
        return True

    async def append(self, shard: int, events: Sequence[Event]) -> list[str]:
        """Append events and commit; return the outcome of each. Raises sql.errors.DatabaseError.

        When many days are missing, the events of some days have to be sent again.
        """
        try:
            return await self._append(shard, events)
        except MissingDay:
            days = {event.timestamp.date() for event in events}
            left = await make_days_of(self._database, self._retention_days, self._clock, days)
        outcomes = iter(await self._append(shard, [event for event in events if event.timestamp.date() not in left]))
        return [UNAVAILABLE if event.timestamp.date() in left else next(outcomes) for event in events]

    async def _append(self, shard: int, events: Sequence[Event]) -> list[str]:
        columns = [list(column) for column in zip(*events, strict=True)] or [[]] * len(Event._fields)
        arguments = (shard, self._retention_days, self._clock, *columns)
        statements = self._database.statements
        if self._opened_day is None:
            rows = await self._database.rows(statements.append_events, *arguments, self._new_names)
        else:
            rows = await self._database.rows(statements.append_history, *arguments, self._opened_day)
        outcomes = [STORED] * len(events)
        for row in rows:
            outcomes[row["ordinal"] - 1] = row["outcome"]
        return outcomes
