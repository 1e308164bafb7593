"""The names that events count under, by a plain replay of the appends of one shard."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from service.ingest.event import Event
from sql.hourly import NAMES, OTHER
from tests.support import oracle
from tests.support.oracle import HOUR, QUARTER, start_of

# An event, and the name that it counts under in each kind in which it has one.
Named = tuple[Event, dict[str, str]]
# Bucket from 1, measure and key.
Counts = Counter[tuple[int, str, str | None]]


class Shard:
    """A shard that admits at most so many new names of each kind in an hour of its clock."""

    def __init__(self) -> None:
        self.named: list[Named] = []
        self._log = oracle.Log()
        self._admitted: set[tuple[str, str]] = set()
        self._new: Counter[tuple[str, datetime]] = Counter()

    def append(self, events: Iterable[Event], clock: datetime, most: int | None) -> None:
        """Store the new ones among events."""
        for event in events:
            if not self._log.append([event]):
                self.named.append((event, self._names(event, start_of(clock, HOUR), most)))

    def _names(self, event: Event, hour: datetime, most: int | None) -> dict[str, str]:
        return {
            kind: name if self._admits(kind, name, hour, most) else OTHER
            for kind, name in oracle.all_keys(event)
            if kind in NAMES
        }

    def _admits(self, kind: str, name: str, hour: datetime, most: int | None) -> bool:
        if (kind, name) not in self._admitted:
            if most is not None and self._new[kind, hour] >= most:
                return False
            self._admitted.add((kind, name))
            self._new[kind, hour] += 1
        return True


def rows(named: Sequence[Named]) -> oracle.Rows:
    """Return the rows that the projection has once every event is folded."""
    found = oracle.rows(event for event, _ in named)
    counts = Counter(
        (start_of(event.timestamp, QUARTER), kind, name)
        for event, names in named
        for kind, name in names.items()
        if kind in oracle.DIMENSIONS
    )
    return oracle.Rows(counts, found.members, found.edges)


def fresh(named: Sequence[Named], since: datetime, until: datetime) -> oracle.Fresh:
    """Return the answer to a read of hours, without the rows about its freshness."""
    found = oracle.fresh([event for event, _ in named], since, until)
    for place in [place for place in found if place[0] in oracle.DIMENSIONS]:
        del found[place]
    for (bucket, kind, name), events in rows(named).counts.items():
        if since <= bucket < until:
            found[kind, start_of(bucket, HOUR), name] += events
    return found


def trend(named: Sequence[Named], bounds: Sequence[datetime], divided_by: str) -> Counts:
    """Return what a trend by every kind of names, and of sessions divided by one, counts."""
    found: Counts = Counter()
    for bucket, (since, until) in enumerate(pairwise(bounds), 1):
        inside = [(event, names) for event, names in named if since <= event.timestamp < until]
        found.update((bucket, kind, name) for _, names in inside for kind, name in names.items())
        found[bucket, "sessions", None] = len({event.session_id for event, _ in inside})
        of_parts: dict[str, list[Event]] = defaultdict(list)
        for event, names in inside:
            if divided_by in names:
                of_parts[names[divided_by]].append(event)
        for part, events in of_parts.items():
            found[bucket, "sessions", part] = len({event.session_id for event in events})
            found[bucket, "tool_uses", part] = sum(event.tool_name is not None for event in events)
    return +found
