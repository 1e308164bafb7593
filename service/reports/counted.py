"""Counts by bucket, dimension and key, and the metrics that are made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from service.reports.kept_range import ROLLUPS
from sql.database import Row
from sql.hourly import MEASURES, METRICS

# Metrics that need users. The projection has counted users only since some moment.
USER_METRICS = tuple(metric for metric, names in METRICS.items() if "users" in names)
# Measures that count distinct sessions or users.
DISTINCT = (*MEASURES.values(), "new_users")

Value = int | float | None
Key = str | None


class Counted:
    """Counts by bucket, numbered from 0: the rows of read_trend, read_people or a Trend, summed over shards.

    Sessions add up, because each session is in one shard.
    source: what was counted. without_users: the first n buckets predate user counting. without_new: new users are
    unknown.
    """

    def __init__(
        self,
        by_shard: Iterable[Iterable[Row | Mapping[str, Any]]],
        *,
        source: str = ROLLUPS,
        without_users: int = 0,
        without_new: bool = False,
    ) -> None:
        self.source = source
        self._without_users = without_users
        self._without_new = without_new
        self._positions: list[int] = []
        self._lag_events = 0
        self._amounts: dict[tuple[int, str], dict[Key, int]] = defaultdict(lambda: defaultdict(int))
        for rows in by_shard:
            for row in rows:
                bucket, measure, key, amount = row["bucket"], row["measure"], row["key"], row["amount"]
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

    def rest(self, dimension: str, bucket: int = 0) -> int:
        """Return the number of events whose key was not named."""
        return self._of(bucket, dimension).get(None, 0)

    def value(self, metric: str, bucket: int) -> Value:
        """Return the value of a metric in a bucket. None when it is unknown, or a ratio without sessions."""
        if metric == "event_types":
            return self._of(bucket, "event_types").get(None) or len(self.keys("event_type", bucket))
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
