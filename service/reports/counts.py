"""Counts in consecutive buckets of time, from rollups when they know the answer, else from raw events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec import Struct

from service.archive.checks import filter_checks
from service.archive.process import Answer
from service.archive.questions import WHOLE, Trend
from service.questions.buckets import Bounds
from service.questions.divisions import Division
from service.questions.filters import Filters
from service.reports.counted import Counted
from service.reports.kept_range import EVENTS, PEOPLE, ROLLUPS, KeptRange, begun, data_since, kept_since
from service.reports.raw_events import RawEvents
from service.reports.shards import Shards
from sql.database import Database, Row
from sql.hourly import MEASURES, ROLLUP_FIELDS

# The measures that a question can name to rollups. Sessions are missing, because rollups always count them.
PROJECTED = (*ROLLUP_FIELDS, *(measure for measure in MEASURES.values() if measure != "sessions"))

# Why an earlier time cannot be compared with.
UNKNOWN = NOT_KEPT, BEFORE_DATA = ("not_kept", "before_data")


@dataclass(frozen=True, slots=True)
class Scope:
    """The events to count: the events of [since, until) that pass the filters. source: ROLLUPS or EVENTS."""

    source: str
    since: datetime
    until: datetime
    filters: Filters

    def within(self, kept: KeptRange) -> Scope:
        """Return the part of the scope that is kept."""
        return replace(self, since=kept.since)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The counts that a question needs in each bucket.

    named: dimensions whose keys to count, and any of `sessions`, `users` and `identified`.
    keys: the keys to count, the rest as (other). None for all keys.
    divided_by: what divides sessions and tool uses, and events where PART is named. Raw events only.
    most: how many keys must be named in each bucket and dimension, those with the most events. None for all.
    """

    named: tuple[str, ...]
    keys: tuple[str, ...] | None = None
    divided_by: Division | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Since when a source knows its events. kept: since when none is missing. began: when the data began."""

    kept: datetime
    began: datetime

    def reason(self, since: datetime, until: datetime) -> str | None:
        """Return one of UNKNOWN when nothing is known about [since, until), else None."""
        if until <= self.began:
            return BEFORE_DATA
        return NOT_KEPT if since < self.kept else None

    def reaches(self, since: datetime) -> bool:
        """Tell whether the data had begun."""
        return since >= self.began


class Counts:
    """Reads counts from the rollups and from the log."""

    def __init__(self, database: Database, raw_events: RawEvents, shards: Shards) -> None:
        self._database = database
        self._raw_events = raw_events
        self._shards = shards

    def admitted(self, source: str) -> AbstractAsyncContextManager[None]:
        """Wait for a place to read raw events. Rollups need no place. Raises Busy, and ReadTooSlow from within."""
        return self._raw_events.admitted() if source == EVENTS else nullcontext()

    async def kept(self, scope: Scope) -> KeptRange:
        """Return the kept part of a scope's range. Raises Expired when nothing of it is kept."""
        if scope.source == EVENTS:
            return await self._raw_events.kept(scope.since, scope.until)
        since = await begun(self._database, self._shards, scope.since, scope.until)
        return await KeptRange.of(self._database, self._shards, since, scope.until, ROLLUPS)

    async def known(self, source: str) -> Known:
        """Return since when an earlier time can be compared with."""
        of_rollups = source != EVENTS
        kept = await (
            kept_since(self._database, self._shards, ROLLUPS) if of_rollups else self._raw_events.kept_since()
        )
        return Known(kept, await data_since(self._database, self._shards))

    async def read(self, scope: Scope, bounds: Bounds, wanted: Wanted) -> Counted:
        """Count, in each bucket, the events that pass the scope's filters. The bounds replace the scope's range.

        Call it within `admitted`.
        """
        if scope.source == EVENTS:
            return await self._of_events(scope.filters, bounds, wanted)
        shards = await self._shards.numbers()
        # Users do not add up, because a user can be in several shards. So one query counts them in all shards together.
        asked: Sequence[int | None] = [None] if "users" in wanted.named and len(shards) > 1 else shards
        return await self._of_rollups(asked, bounds, wanted)

    async def _of_rollups(self, shards: Sequence[int | None], bounds: Bounds, wanted: Wanted) -> Counted:
        named = [name for name in wanted.named if name in PROJECTED]
        by_shard = await asyncio.gather(*(self._of_shard(shard, bounds, named, wanted.keys) for shard in shards))
        without_users = 0
        if "users" in named:
            since = await kept_since(self._database, self._shards, PEOPLE)
            without_users = sum(start < since for start in bounds[:-1])
        return Counted(by_shard, without_users=without_users)

    async def _of_shard(
        self, shard: int | None, bounds: Bounds, named: list[str], keys: tuple[str, ...] | None
    ) -> list[Row]:
        """Return the rows of one shard, or of all the site's shards together for None."""
        statements = self._database.statements
        rest = (bounds, named, None if keys is None else list(keys))
        if shard is None:
            return await self._database.rows(statements.read_people, await self._shards.numbers(), *rest)
        return await self._database.rows(statements.read_trend, shard, *rest)

    async def read_with_whole(
        self, scope: Scope, bounds: Bounds, wanted: Wanted, of_whole: Wanted
    ) -> tuple[Counted, Counted]:
        """Count each bucket, without keys, and all buckets as one. Raw events are read once for both.

        of_whole: names what `wanted` does, and may name dimensions besides. Call it within `admitted`.
        """
        if scope.source == EVENTS:
            answer = await self._ask(scope.filters, bounds, of_whole, whole=True)
            each = [row for row in answer.rows if row["bucket"] != WHOLE]
            whole = [_as_first(row) for row in answer.rows if row["bucket"] in (None, WHOLE)]
            return await _counted(each, answer.source), await _counted(whole, answer.source)
        return await self.read(scope, bounds, wanted), await self.read(scope, [bounds[0], bounds[-1]], of_whole)

    async def _of_events(self, filters: Filters, bounds: Bounds, wanted: Wanted) -> Counted:
        answer = await self._ask(filters, bounds, wanted)
        return await _counted(answer.rows, answer.source)

    async def ask(self, question: Struct) -> Answer:
        """Return the answer to a question about raw events. Call it within `admitted`."""
        return await self._raw_events.ask(question)

    async def _ask(self, filters: Filters, bounds: Bounds, wanted: Wanted, *, whole: bool = False) -> Answer:
        return await self._raw_events.ask(
            Trend(
                checks=filter_checks(filters),
                bounds=bounds,
                named=wanted.named,
                keys=wanted.keys,
                divided_by=wanted.divided_by and wanted.divided_by.dimension,
                path=wanted.divided_by and wanted.divided_by.path,
                most=wanted.most,
                whole=whole,
            )
        )


async def _counted(rows: Sequence[Mapping[str, Any]], source: str) -> Counted:
    """Return the counts of raw events: in a thread, because there may be more rows than the loop should wait for."""
    return await asyncio.to_thread(Counted, [rows], source=source, without_new=True)


def _as_first(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row of the whole as one of the only bucket."""
    return row if row["bucket"] is None else {**row, "bucket": 1}
