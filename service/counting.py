"""Counts by rollups where they know the answer, else by raw events; never of a time that is not wholly kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from service.counted import PROJECTED, Counted
from service.filters import Filters
from service.intervals import Bounds
from service.raw_events import FIRST, RawEvents, read_within_kept
from service.shards import Shards
from sql.database import Database

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

    named: dimensions whose keys are told, and `sessions`. keys: these only, the rest as (other); None for all.
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
        row = await self._database.only(self._database.statements.read_kept)
        kept: datetime | None = row["rollups_since"]
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
        return Counted([await self._raw_events.rows(statements.trend_from_events, shard, *rest) for shard in shards])
