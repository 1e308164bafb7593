"""The events of a demo: days of a small web product, with nights, weekends and a launch, in the order of sending.

Some events come late, by hours or days, because a client was offline. Some come twice, because a client missed the
answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import chain, pairwise
from typing import NamedTuple

from service.demo.pace import DAY, DAYS, HOUR, SEED, Pace, Span, launch_of
from service.demo.visits import Visits
from service.ingest.event import Event

MILLISECOND = timedelta(milliseconds=1)

# The share of sessions whose last events come late, and the share of these that are late by days.
LATE = 0.05
LATE_BY_DAYS = 0.3
REPEATED = 0.01
# Live events begin amid sessions that began up to this long before.
UNDER_WAY = timedelta(minutes=30)
# This many live events come ahead of their hour, from visits that begin at once. So there is something to see at night.
AHEAD = 5
AT_ONCE = timedelta(seconds=5)
# Sessions are made for this many events at once, so that a caller that must stop never waits for a whole busy hour.
MOST_AT_ONCE = 1_000


class Sending(NamedTuple):
    """An event on its way; the number orders events that are sent at the same moment."""

    at: datetime
    number: int
    event: Event


class DemoEvents(Iterator[Event]):
    """Gives `count` different events of the days before `end`, and repeats of some, in the order of sending.

    The first event is later than the horizon of `days` days, even if midnight comes within an hour after `end`. The
    same arguments give the same events.
    """

    def __init__(self, count: int, end: datetime, seed: int = SEED, days: int = DAYS) -> None:
        self._clients = _Clients(f"{seed}", end, launch_of(end, days))
        spans = chain.from_iterable(map(_parts, Pace(count, end, days, seed).past()))
        self._sendings = _in_order(self._clients, spans)

    def __next__(self) -> Event:
        """Give the next event."""
        return next(self._sendings).event

    @property
    def visitors(self) -> int:
        """The number of visitors so far."""
        return self._clients.visitors


def live_events(pace: Pace, start: datetime, visitors: int, seed: int = SEED) -> Iterator[tuple[datetime, Event]]:
    """Give the events that follow those of a demo, each with the time to send it, in the order of sending.

    They begin at `start`, have no end, and come at the pace of their hour. visitors: the number of earlier visitors,
    some of whom return.
    """
    clients = _Clients(f"{seed} live", datetime.max.replace(tzinfo=UTC), pace.launch, visitors)
    under_way = Span(start - UNDER_WAY, start, round(pace.expected(start - UNDER_WAY, start)))
    at_once = Span(start, start + AT_ONCE, AHEAD)
    spans = chain((under_way, at_once), pace.live(at_once.end, AHEAD))
    for sending in _in_order(clients, chain.from_iterable(map(_parts, spans))):
        if sending.event.timestamp >= start:
            yield sending.at, sending.event


def _parts(span: Span) -> Iterator[Span]:
    """Give equal parts of a span, each of at most MOST_AT_ONCE events."""
    count = max(1, -(-span.events // MOST_AT_ONCE))
    starts = [span.start + (span.end - span.start) * part / count for part in range(count)]
    for part, (start, end) in enumerate(pairwise([*starts, span.end])):
        yield Span(start, end, span.events * (part + 1) // count - span.events * part // count)


class _Clients:
    """The clients of all visitors: what each sends, and when. No event happens after `end`."""

    def __init__(self, seed: str, end: datetime, launch: datetime, visitors: int = 0) -> None:
        self._visits = Visits(f"{seed} visits", launch, visitors)
        self._chance = random.Random(f"{seed} clients")  # noqa: S311  # the same for the same seed
        self._end = end
        self._number = 0

    @property
    def visitors(self) -> int:
        return self._visits.visitors

    def sendings(self, span: Span) -> Iterator[Sending]:
        """Give the events of the sessions that begin in a span: `span.events` different ones, and repeats of some."""
        left = span.events
        while left > 0:
            start = span.start + MILLISECOND * self._chance.randrange(max(1, (span.end - span.start) // MILLISECOND))
            events = [event for event in self._visits.visit(start) if event.timestamp < self._end][:left]
            left -= len(events)
            yield from self._sent(events)

    def _sent(self, events: list[Event]) -> Iterator[Sending]:
        delay = self._delay()
        since = self._chance.choice(events).timestamp if delay else self._end
        for event in events:
            at = event.timestamp if event.timestamp < since else min(event.timestamp + delay, self._end)
            yield self._sending(at, event)
            if self._chance.random() < REPEATED:
                yield self._sending(at + timedelta(seconds=self._chance.randint(1, 60)), event)

    def _delay(self) -> timedelta:
        """Return how long a client is offline at the end of a session, in most cases 0."""
        if self._chance.random() >= LATE:
            return timedelta(0)
        if self._chance.random() < LATE_BY_DAYS:
            return self._chance.uniform(1, 3) * DAY
        return self._chance.uniform(1, 12) * HOUR

    def _sending(self, at: datetime, event: Event) -> Sending:
        self._number += 1
        return Sending(at, self._number, event)


def _in_order(clients: _Clients, spans: Iterable[Span]) -> Iterator[Sending]:
    """Give the events of all spans with the times to send them, ordered by these times. The spans must be in order."""
    waiting: list[Sending] = []
    for span in spans:
        for sending in clients.sendings(span):
            heappush(waiting, sending)
        while waiting and waiting[0].at < span.end:
            yield heappop(waiting)
    while waiting:
        yield heappop(waiting)
