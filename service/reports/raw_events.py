"""Questions about raw events. Only a few run at a time, in processes or on connections of their own, and none for long.

So other reads and all writes never wait for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from typing import Protocol, TypeAlias

import structlog
from msgspec import Struct, structs

from service.archive.admission import AT_A_TIME, Places
from service.archive.conversion_questions import Conversions
from service.archive.engine import SECONDS
from service.archive.path_questions import Paths
from service.archive.process import Answer
from service.archive.questions import Funnel, Properties
from service.errors import ReadTooSlow
from service.reports.kept_range import EVENTS, KeptRange, begun, kept_since
from service.reports.shards import Shards
from sql.database import Database, Row
from sql.errors import TooSlow
from sql.statements import Statements

# Questions about [since, until).
OfRange: TypeAlias = Conversions | Funnel | Paths | Properties

log = structlog.get_logger(__name__)


class Asked(Protocol):
    """What answers the questions of service.archive.questions: an Engine."""

    async def ask(self, question: Struct) -> Answer:
        """Return the answer."""

    async def close(self) -> None:
        """End what it has started."""


class RawEvents:
    """Reads raw events of one site. Callers read by `ask_of_kept`, within `admitted`, or through `streaming`.

    statement_seconds: the longest that one statement may take. shards: those of the site.
    """

    def __init__(self, url: str, engine: Asked, statement_seconds: int = SECONDS) -> None:
        self._statement_seconds = statement_seconds
        self._engine = engine
        self._database = Database(
            url, connections=AT_A_TIME, statement_seconds=statement_seconds, read_only=True, plan_each=True
        )
        self._places = Places()
        self.shards = Shards(self._database)

    def of(self, shards: Shards) -> RawEvents:
        """Return what reads another site's events. Both have the same places, processes and connections."""
        other = copy(self)
        other.shards = shards
        return other

    @property
    def statements(self) -> Statements:
        """The queries, by name."""
        return self._database.statements

    async def close(self) -> None:
        """End the engine and close the connections."""
        await self._engine.close()
        await self._database.close()

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Wait for one of the AT_A_TIME places. Raises Busy when too many wait already, and ReadTooSlow from within."""
        async with self._places.one():
            try:
                yield
            except TooSlow as error:
                log.warning("a long question took too long", error=str(error))
                raise ReadTooSlow(
                    f"reading took longer than {self._statement_seconds} s; ask for fewer hours"
                ) from error

    async def ask(self, question: Struct) -> Answer:
        """Return the answer to a question of service.archive.questions, about the site's events alone."""
        return await self._engine.ask(structs.replace(question, shards=tuple(await self.shards.numbers())))

    async def ask_of_kept(self, question: OfRange) -> tuple[Answer, datetime]:
        """Return the answer about the part of a question's range that is kept, and the start of that part.

        Retention may take a part meanwhile; then the question is asked again. Raises Busy, Expired and ReadTooSlow.
        """
        async with self.admitted():
            kept = await self.kept(question.since, question.until)
            while True:
                answer = await self.ask(structs.replace(question, since=kept.since))
                if not await kept.shrank():
                    return answer, kept.since

    async def rows(self, query: str, *args: object) -> list[Row]:
        """Run a query; return its rows."""
        return await self._database.rows(query, *args)

    async def kept(self, since: datetime, until: datetime) -> KeptRange:
        """Return the part of [since, until) whose events are kept. Raises Expired when it is empty.

        since: EVERYTHING for the start of the data.
        """
        since = await begun(self._database, self.shards, since, until)
        return await KeptRange.of(self._database, self.shards, since, until, EVENTS)

    async def kept_since(self) -> datetime:
        """Return the moment since which all events are kept."""
        return await kept_since(self._database, self.shards, EVENTS)
