"""Counts by rollups where they know the answer, else by raw events; never of a time that is not wholly kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from service.counted import PROJECTED, Counted
from service.errors import ApiError, unavailable
from service.filters import Filters
from service.intervals import Bounds
from service.queries import time_text
from service.shards import Shards
from sql.database import Database
from sql.errors import TooSlow

ROLLUPS = "rollups"
EVENTS = "events"
# Questions about raw events that are answered at a time, each on one connection of a pool of their own: the rest of the
# reads never waits for them.
AT_A_TIME = 2
MOST_WAITING = 16
STATEMENT_SECONDS = 10
FIRST = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger(__name__)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which events are counted: of a range, from rollups or from the log, those that pass the filters."""

    source: str
    since: datetime
    until: datetime
    filters: Filters


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is told of each bucket.

    named: dimensions whose keys are told, and `sessions`. keys: these only, the rest as (other); None for all.
    divided_by: the dimension by whose keys sessions and tool uses are divided; raw events only.
    """

    named: tuple[str, ...]
    keys: tuple[str, ...] | None = None
    divided_by: str | None = None


class Counting:
    """Reads counts. `close` ends the connections that raw events are read with."""

    def __init__(self, database: Database, url: str, statement_seconds: int = STATEMENT_SECONDS) -> None:
        self._database = database
        self._shards = Shards(database)
        self._statement_seconds = statement_seconds
        self._events = Database(url, connections=AT_A_TIME, statement_seconds=statement_seconds, read_only=True)
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._asked = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._events.close()

    async def within_kept(self, scope: Scope, read: Callable[[Scope], Awaitable[Found]]) -> tuple[Scope, Found]:
        """Return the part of the scope that is wholly kept, and what was read of it.

        Retention may drop its first day meanwhile: it is read again then. Raises ApiError 422 when nothing is kept, or
        when it took too long, and 503 when too many others wait.
        """
        async with self._admitted(scope.source):
            kept = await self.kept_since(scope.source)
            while True:
                cut = _cut(scope, kept)
                found = await read(cut)
                kept = await self.kept_since(scope.source)
                if kept <= cut.since:
                    return cut, found

    async def kept_since(self, source: str) -> datetime:
        """Return the moment from which on everything is kept."""
        row = await self._database.only(self._database.statements.read_kept)
        kept: datetime | None = row["rollups_since" if source == ROLLUPS else "events_since"]
        return kept or FIRST

    async def read(self, scope: Scope, bounds: Bounds, wanted: Wanted) -> Counted:
        """Count what passes the scope's filters in each of the buckets; its range is not looked at."""
        shards = await self._shards.numbers()
        statements = self._database.statements
        keys = None if wanted.keys is None else list(wanted.keys)
        if scope.source == ROLLUPS:
            named = [name for name in wanted.named if name in PROJECTED]
            asked = (self._database.rows(statements.read_trend, shard, bounds, named, keys) for shard in shards)
            return Counted(await asyncio.gather(*asked))
        rest: tuple[Any, ...] = (bounds, list(wanted.named), keys, wanted.divided_by, *scope.filters.values())
        # One after the other: a question has one connection.
        return Counted([await self._events.rows(statements.trend_from_events, shard, *rest) for shard in shards])

    @asynccontextmanager
    async def _admitted(self, source: str) -> AsyncIterator[None]:
        """Let few questions about raw events read at a time."""
        if source == ROLLUPS:
            yield
            return
        if self._asked >= AT_A_TIME + MOST_WAITING:
            raise unavailable("too many questions about raw events are being answered; ask again")
        self._asked += 1
        try:
            async with self._slots:
                yield
        except TooSlow as error:
            log.warning("counting raw events took too long", error=str(error))
            raise ApiError(
                422,
                "too_slow",
                f"counting the raw events took longer than {self._statement_seconds} s; ask for fewer hours",
            ) from error
        finally:
            self._asked -= 1


def _cut(scope: Scope, kept: datetime) -> Scope:
    since = max(scope.since, kept)
    if since >= scope.until:
        raise ApiError(422, "expired", f"{scope.source} before {time_text(kept)} are not kept any more", "to")
    return Scope(scope.source, since, scope.until, scope.filters)
