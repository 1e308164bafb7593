"""What is counted in consecutive buckets of time: rows of read_trend or trend_from_events of all shards, summed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

from sql.hourly import METRICS, OTHER

# Metrics that the projection knows from some moment on only.
PEOPLE = ("users", "new_users", "visitors")
MEMBERS = ("users", "identified")
# Measures of distinct ones.
DISTINCT = ("sessions", "users", "new_users", "identified")

Value = int | float | None
Key = str | None


class Counted:
    """Counts by bucket, from 0. Distinct sessions add up across shards: a session is in one. Users do not.

    without_people: so many of the first buckets are of a time when users were not known. without_new: nor are new ones.
    """

    def __init__(
        self, by_shard: Iterable[Iterable[asyncpg.Record]], *, without_people: int = 0, without_new: bool = False
    ) -> None:
        self._without_people = without_people
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
        """How far the log is counted, and how much of it was not folded yet."""
        return {"positions": self._positions, "lag_events": self._lag_events}

    def keys(self, dimension: str, bucket: int = 0) -> dict[str, int]:
        """Return the events of each key that has any."""
        return {key: events for key, events in self._of(bucket, dimension).items() if key is not None and events}

    def value(self, metric: str, bucket: int) -> Value:
        """Return the value of a metric in a bucket; None when it has none."""
        if metric == "event_types":
            return len(self.keys("event_type", bucket))
        if (metric in PEOPLE and bucket < self._without_people) or (metric == "new_users" and self._without_new):
            return None
        events = sum(self._of(bucket, "event_type").values())
        uses = sum(self._of(bucket, "tool_name").values())
        return _value(metric, events, uses, self._distinct(bucket, None))

    def part(self, metric: str, dimension: str, key: str, bucket: int) -> Value:
        """Return the same of the events that have this key."""
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
    """Return the keys with the most events, largest first, and the sum of the others, (other) among them."""
    ordered = sorted((item for item in counts.items() if item[0] != OTHER), key=lambda item: (-item[1], item[0]))
    named = ordered[:most]
    return named, sum(counts.values()) - sum(events for _, events in named)


def _value(metric: str, events: int, tool_uses: int, distinct: Mapping[str, int]) -> Value:
    sessions = distinct["sessions"]
    if metric == "events_per_session":
        return events / sessions if sessions else None
    if metric == "visitors":
        # Sessions that nobody was named in count each, the others through their users.
        return distinct["users"] + sessions - distinct["identified"]
    return {"events": events, "tool_uses": tool_uses, **distinct}[metric]
