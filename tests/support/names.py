"""The names that events count under, by a plain replay of the appends of one shard."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from service.ingest.event import Event
from service.questions.page_events import PAGE_LEFT, PAGE_VIEWED
from sql.hourly import NAMES, OTHER
from tests.support import oracle
from tests.support.oracle import HOUR, QUARTER, start_of

# An event, and the name that it counts under in each kind in which it has one.
Named = tuple[Event, dict[str, str]]
# Bucket from 1, measure and key.
Counts = Counter[tuple[int, str, str | None]]
# The names that are always admitted.
ALWAYS = {("event_type", PAGE_VIEWED), ("event_type", PAGE_LEFT)}


class Shard:
    """A shard that admits at most so many new names of each kind in an hour of its clock.

    Names of page events, and those that come without a bound, are always admitted and use up no room.
    """

    def __init__(self) -> None:
        self.named: list[Named] = []
        self._log = oracle.Log()
        self._admitted: set[tuple[str, str]] = set()
        self._new: Counter[tuple[str, datetime]] = Counter()
        # The kinds that are refused until an event of another hour comes, and that hour.
        self._refusing: set[tuple[str, datetime]] = set()

    def append(self, events: Iterable[Event], clock: datetime, most: int | None) -> None:
        """Store the new ones among events."""
        for event in events:
            if not self._log.append([event]):
                self._refusing = {each for each in self._refusing if each[1] == start_of(clock, HOUR)}
                self.named.append((event, self._names(event, start_of(clock, HOUR), most)))

    def _names(self, event: Event, hour: datetime, most: int | None) -> dict[str, str]:
        return {
            kind: name if self._admits(kind, name, hour, most) else OTHER
            for kind, name in oracle.all_keys(event)
            if kind in NAMES
        }

    def _admits(self, kind: str, name: str, hour: datetime, most: int | None) -> bool:
        if (kind, name) in self._admitted:
            return True
        is_counted = most is not None and (kind, name) not in ALWAYS
        if is_counted and ((kind, hour) in self._refusing or self._new[kind, hour] >= (most or 0)):
            self._refusing.add((kind, hour))
            return False
        self._admitted.add((kind, name))
        self._new[kind, hour] += is_counted
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
