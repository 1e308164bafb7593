"""Questions about raw events. Only a few run at a time, on connections of their own, and none runs for long.

So other reads and all writes never wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from service.errors import Busy, ReadTooSlow
from service.reports.kept_range import EVENTS, KeptRange, kept_since
from sql.database import Database, Row, Session
from sql.errors import TooSlow
from sql.statements import Statements

# The number of questions that run at a time, each on one connection.
AT_A_TIME = 2
MOST_WAITING = 16
STATEMENT_SECONDS = 10

log = structlog.get_logger(__name__)


class RawEvents:
    """Reads the log. Callers read within `admitted`, or through `streaming`.

    statement_seconds: the longest that one statement may take.
    """

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

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Wait for one of the AT_A_TIME places. Raises Busy when too many wait already, and ReadTooSlow from within."""
        if self._asked >= AT_A_TIME + MOST_WAITING:
            raise Busy("too many long questions are being answered; try again")
        self._asked += 1
        try:
            async with self._slots:
                yield
        except TooSlow as error:
            log.warning("a long question took too long", error=str(error))
            raise ReadTooSlow(f"reading took longer than {self._statement_seconds} s; ask for fewer hours") from error
        finally:
            self._asked -= 1

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Run a query; return its rows."""
        return await self._database.rows(query, *args)

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Session]:
        """Wait like `admitted`, then give a transaction that can stream rows while the database finds them."""
        async with self.admitted(), self._database.transaction() as session:
            yield session

    async def kept(self, since: datetime, until: datetime) -> KeptRange:
        """Return the part of [since, until) whose events are kept. Raises Expired when it is empty."""
        return await KeptRange.of(self._database, since, until, EVENTS)

    async def kept_since(self) -> datetime:
        """Return the moment since which all events are kept."""
        return await kept_since(self._database, EVENTS)
