"""Counts by rollups where they know the answer, else by raw events; never of a time that is not wholly kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from service.questions.buckets import Bounds
from service.questions.filters import Filters
from service.reports.counted import MEMBERS, Counted
from service.reports.kept_range import kept_since, read_within_kept
from service.reports.raw_events import RawEvents
from service.reports.shards import Shards
from sql.database import Database
from sql.hourly import ROLLUP_FIELDS

ROLLUPS = "rollups"
EVENTS = "events"

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

    named: dimensions whose keys are told, and `sessions`, `users` and `identified`.
    keys: these only, the rest as (other); None for all.
    divided_by: the dimension by whose keys sessions and tool uses are divided; raw events only.
    """

    named: tuple[str, ...]
    keys: tuple[str, ...] | None = None
    divided_by: str | None = None


class Counting:
    """Reads counts."""

    def __init__(self, database: Database, raw_events: RawEvents) -> None:
        self._database = database
        self._raw_events = raw_events
        self._shards = Shards(database)

    async def within_kept(self, scope: Scope, read: Callable[[Scope], Awaitable[Found]]) -> tuple[Scope, Found]:
        """Return the part of the scope that is wholly kept, and what was read of it.

        Raises ApiError 422 when nothing is kept; of raw events also when it took too long, and 503 when too many wait.
        """

        async def read_from(since: datetime) -> Found:
            return await read(replace(scope, since=since))

        if scope.source == EVENTS:
            since, found = await self._raw_events.within_kept(scope.since, scope.until, read_from)
        else:
            since, found = await read_within_kept(ROLLUPS, scope.since, scope.until, self._rollups_since, read_from)
        return replace(scope, since=since), found

    async def kept_since(self, source: str) -> datetime:
        """Return the moment from which on everything is kept."""
        return await (self._rollups_since() if source == ROLLUPS else self._raw_events.kept_since())

    async def _rollups_since(self) -> datetime:
        return await kept_since(self._database, "rollups_since")

    async def read(self, scope: Scope, bounds: Bounds, wanted: Wanted) -> Counted:
        """Count what passes the scope's filters in each of the buckets; its range is not looked at."""
        shards = await self._shards.numbers()
        keys = None if wanted.keys is None else list(wanted.keys)
        # A user may be in several shards.
        at_once = "users" in wanted.named and len(shards) > 1
        if scope.source == ROLLUPS:
            named = [name for name in wanted.named if name in (*ROLLUP_FIELDS, *MEMBERS)]
            rows = await self._from_rollups(None if at_once else shards, bounds, named, keys)
            return Counted(rows, without_people=await self._without_people(bounds) if "users" in named else 0)
        query = self._database.statements.trend_from_events
        rest: tuple[Any, ...] = (bounds, list(wanted.named), keys, wanted.divided_by, scope.filters.document())
        # One after the other: a question has one connection.
        of_shards = [await self._raw_events.rows(query, shard, *rest) for shard in ([None] if at_once else shards)]
        return Counted(of_shards, without_new=True)

    async def _from_rollups(
        self, shards: Sequence[int] | None, bounds: Bounds, named: list[str], keys: list[str] | None
    ) -> Sequence[Sequence[asyncpg.Record]]:
        """Return the rows of each shard, or of all of them together."""
        statements = self._database.statements
        if shards is None:
            return [await self._database.rows(statements.read_people, bounds, named, keys)]
        asked = (self._database.rows(statements.read_trend, shard, bounds, named, keys) for shard in shards)
        return await asyncio.gather(*asked)

    async def _without_people(self, bounds: Bounds) -> int:
        """Return how many buckets begin before users were known."""
        since = await kept_since(self._database, "people_since")
        return sum(start < since for start in bounds[:-1])
