"""Questions about raw events: few at a time, on connections of their own, within what is kept, and not for ever.

The rest of the reads, and all that is written, never waits for them. A question whose asker has gone is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import asyncpg
import structlog

from service.errors import ApiError, unavailable
from service.reports.kept_range import kept_since, read_within_kept
from sql.database import Database, Session
from sql.errors import TooSlow
from sql.statements import Statements

# Questions that are answered at a time, each on one connection.
AT_A_TIME = 2
MOST_WAITING = 16
STATEMENT_SECONDS = 10

log = structlog.get_logger(__name__)

Found = TypeVar("Found")


class RawEvents:
    """Reads the log. `close` ends its connections."""

    def __init__(self, url: str, statement_seconds: int = STATEMENT_SECONDS) -> None:
        self._statement_seconds = statement_seconds
        self._database = Database(
            url, connections=AT_A_TIME, statement_seconds=statement_seconds, read_only=True, plan_each=True
        )
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._asked = 0

    @property
    def statements(self) -> Statements:
        """The queries, by name."""
        return self._database.statements

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run a query; return its rows. To be called within `within_kept` or `admitted`."""
        return await self._database.rows(query, *args)

    async def kept_since(self) -> datetime:
        """Return the moment from which on every event is kept."""
        return await kept_since(self._database, "events_since")

    async def within_kept(
        self, since: datetime, until: datetime, read: Callable[[datetime], Awaitable[Found]]
    ) -> tuple[datetime, Found]:
        """Return since when everything of a range is kept, and what `read` found from then on.

        Raises ApiError 422 when nothing is kept, or when it took too long, and 503 when too many others wait.
        """
        async with self.admitted():
            return await read_within_kept("events", since, until, self.kept_since, read)

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Session]:
        """Give a transaction to read rows in as they are found. Raises as `within_kept`, but for `expired`."""
        async with self.admitted(), self._database.transaction() as session:
            yield session

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Wait to be one of the few that are answered. Raises ApiError 503 when too many wait, 422 after too long."""
        if self._asked >= AT_A_TIME + MOST_WAITING:
            raise unavailable("too many long questions are being answered; ask again")
        self._asked += 1
        try:
            async with self._slots:
                yield
        except TooSlow as error:
            log.warning("a long question took too long", error=str(error))
            raise ApiError(
                422, "too_slow", f"reading took longer than {self._statement_seconds} s; ask for fewer hours"
            ) from error
        finally:
            self._asked -= 1
