"""Counts in consecutive buckets of time, from rollups when they know the answer, else from raw events."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.questions.buckets import Bounds
from service.questions.filters import Filters
from service.reports.kept_range import EVENTS, PEOPLE, ROLLUPS, KeptRange, data_since, kept_since
from service.reports.raw_events import RawEvents
from service.reports.shards import Shards
from sql.database import Database, Row
from sql.hourly import MEASURES, METRICS, ROLLUP_FIELDS

# Metrics that need users. The projection has counted users only since some moment.
USER_METRICS = tuple(metric for metric, names in METRICS.items() if "users" in names)
# The measures that a question can name to rollups. Sessions are missing, because rollups always count them.
PROJECTED = (*ROLLUP_FIELDS, *(measure for measure in MEASURES.values() if measure != "sessions"))
# Measures that count distinct sessions or users.
DISTINCT = (*MEASURES.values(), "new_users")

# Why an earlier time cannot be compared with.
UNKNOWN = NOT_KEPT, BEFORE_DATA = ("not_kept", "before_data")

Value = int | float | None
Key = str | None


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
    divided_by: the dimension whose keys divide sessions and tool uses. Raw events only.
    """

    named: tuple[str, ...]
    keys: tuple[str, ...] | None = None
    divided_by: str | None = None


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
        return await KeptRange.of(self._database, scope.since, scope.until, ROLLUPS)

    async def known(self, source: str) -> Known:
        """Return since when an earlier time can be compared with."""
        kept = await (self._raw_events.kept_since() if source == EVENTS else kept_since(self._database, ROLLUPS))
        return Known(kept, await data_since(self._database))

    async def read(self, scope: Scope, bounds: Bounds, wanted: Wanted) -> Counted:
        """Count, in each bucket, the events that pass the scope's filters. The bounds replace the scope's range.

        Call it within `admitted`.
        """
        shards = await self._shards.numbers()
        # Users do not add up, because a user can be in several shards. So one query counts them in all shards together.
        asked: Sequence[int | None] = [None] if "users" in wanted.named and len(shards) > 1 else shards
        if scope.source == ROLLUPS:
            return await self._of_rollups(asked, bounds, wanted)
        return await self._of_events(asked, scope.filters, bounds, wanted)

    async def _of_rollups(self, shards: Sequence[int | None], bounds: Bounds, wanted: Wanted) -> Counted:
        named = [name for name in wanted.named if name in PROJECTED]
        by_shard = await asyncio.gather(*(self._of_shard(shard, bounds, named, wanted.keys) for shard in shards))
        without_users = 0
        if "users" in named:
            since = await kept_since(self._database, PEOPLE)
            without_users = sum(start < since for start in bounds[:-1])
        return Counted(by_shard, without_users=without_users)

    async def _of_shard(
        self, shard: int | None, bounds: Bounds, named: list[str], keys: tuple[str, ...] | None
    ) -> list[Row]:
        """Return the rows of one shard, or of all shards together for None."""
        statements = self._database.statements
        rest = (bounds, named, None if keys is None else list(keys))
        if shard is None:
            return await self._database.rows(statements.read_people, *rest)
        return await self._database.rows(statements.read_trend, shard, *rest)

    async def _of_events(
        self, shards: Sequence[int | None], filters: Filters, bounds: Bounds, wanted: Wanted
    ) -> Counted:
        query = self._database.statements.trend_from_events
        keys = None if wanted.keys is None else list(wanted.keys)
        rest = (bounds, list(wanted.named), keys, wanted.divided_by, filters.document())
        # One shard after the other, because a question has only one connection.
        by_shard = [await self._raw_events.rows(query, shard, *rest) for shard in shards]
        return Counted(by_shard, without_new=True)


class Counted:
    """Counts by bucket, numbered from 0: the rows of read_trend, read_people or trend_from_events, summed over shards.

    Sessions add up, because each session is in one shard.
    without_users: the first n buckets predate user counting. without_new: new users are unknown.
    """

    def __init__(self, by_shard: Iterable[Iterable[Row]], *, without_users: int = 0, without_new: bool = False) -> None:
        self._without_users = without_users
        self._without_new = without_new
        self._positions: list[int] = []
        self._lag_events = 0
        self._amounts: dict[tuple[int, str], dict[Key, int]] = defaultdict(lambda: defaultdict(int))
        for rows in by_shard:
            for bucket, measure, key, amount in rows:
                if bucket is not None:
                    self._amounts[bucket - 1, measure][key] += amount
                elif measure == "position":
                    self._positions.append(amount)
                else:
                    self._lag_events += amount

    @property
    def as_of(self) -> dict[str, Any]:
        """The log's last position by shard, and the number of events that the projector has not folded yet."""
        return {"positions": self._positions, "lag_events": self._lag_events}

    def keys(self, dimension: str, bucket: int = 0) -> dict[str, int]:
        """Return the number of events by key, without keys that have no events."""
        return {key: events for key, events in self._of(bucket, dimension).items() if key is not None and events}

    def value(self, metric: str, bucket: int) -> Value:
        """Return the value of a metric in a bucket. None when it is unknown, or a ratio without sessions."""
        if metric == "event_types":
            return len(self.keys("event_type", bucket))
        if (metric in USER_METRICS and bucket < self._without_users) or (metric == "new_users" and self._without_new):
            return None
        events = sum(self._of(bucket, "event_type").values())
        uses = sum(self._of(bucket, "tool_name").values())
        return _value(metric, events, uses, self._distinct(bucket, None))

    def part(self, metric: str, dimension: str, key: str, bucket: int) -> Value:
        """Return the value of a metric over the events of a bucket with one key of a dimension."""
        events = self._of(bucket, dimension).get(key, 0)
        # An event with a tool is one use of it.
        uses = events if dimension == "tool_name" else self._of(bucket, "tool_uses").get(key, 0)
        return _value(metric, events, uses, self._distinct(bucket, key))

    def totals(self, bucket: int) -> dict[str, Value]:
        """Return every metric of a bucket."""
        return {metric: self.value(metric, bucket) for metric in METRICS}

    def _distinct(self, bucket: int, key: Key) -> dict[str, int]:
        return {measure: self._of(bucket, measure).get(key, 0) for measure in DISTINCT}

    def _of(self, bucket: int, measure: str) -> Mapping[Key, int]:
        return self._amounts.get((bucket, measure), {})


def largest(counts: Mapping[str, int], most: int) -> tuple[list[tuple[str, int]], int]:
    """Return the keys with the most events, largest first, and the sum of all others."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:most], sum(events for _, events in ordered[most:])


def _value(metric: str, events: int, tool_uses: int, distinct: Mapping[str, int]) -> Value:
    sessions = distinct["sessions"]
    if metric == "events_per_session":
        return events / sessions if sessions else None
    if metric == "visitors":
        # A session without a user counts as a visitor; the others count through their users.
        return distinct["users"] + sessions - distinct["identified"]
    return {"events": events, "tool_uses": tool_uses, **distinct}[metric]
