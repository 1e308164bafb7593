"""The events of a demo: days of a small web product, with nights, weekends and a launch, in the order of sending.

Some events come late, by hours or days, because a client was offline. Some come twice, because a client missed the
answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import chain, pairwise
from typing import NamedTuple

from service.demo.visits import Visits
from service.ingest.event import Event

SEED = 2018
DAYS = 30
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)

# How busy each hour of a weekday is (UTC).
BY_HOUR = (4, 3, 2, 2, 2, 3, 6, 14, 30, 48, 56, 54, 44, 50, 57, 55, 50, 42, 34, 30, 28, 22, 14, 8)
WEEKEND = 0.4
SATURDAY = 5
# The product was launched on a Tuesday morning. Many visitors came, and some stayed.
LAUNCH_WEEKDAY = 1
LAUNCH_HOUR = 9
BEFORE_LAUNCH = 0.6
LAUNCH_PEAK = 2.0
LAUNCH_HALF_LIFE = 1.5 * DAY
# The spread of days and hours around the usual (sigma of a lognormal factor), so that no two are alike.
UNLIKE = 0.1

# The share of sessions whose last events come late, and the share of these that are late by days.
LATE = 0.05
LATE_BY_DAYS = 0.3
REPEATED = 0.01
LIVE_EVENTS_PER_SECOND = 2.5
# Sessions are made for this many events at once, so that a caller that must stop never waits for a whole busy hour.
MOST_AT_ONCE = 1_000


class Sending(NamedTuple):
    """An event on its way; the number orders events that are sent at the same moment."""

    at: datetime
    number: int
    event: Event


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, and the number of events of the sessions that begin in it."""

    start: datetime
    end: datetime
    events: int


def demo_events(count: int, end: datetime, seed: int = SEED, days: int = DAYS) -> Iterator[Event]:
    """Give `count` different events of the days before `end`, and repeats of some, in the order of sending.

    The first event is later than the horizon of `days` days, even if midnight comes within an hour after `end`. The
    same arguments give the same events.
    """
    clients = _Clients(f"{seed}", end)
    spans = chain.from_iterable(map(_parts, _hours(count, end, days, seed)))
    return (sending.event for sending in _in_order(clients, spans))


def live_events(start: datetime, seed: int = SEED, visitors: int = 0) -> Iterator[tuple[datetime, Event]]:
    """Give events from `start` on without end, each with the time to send it, in the order of sending.

    visitors: the number of earlier visitors, some of whom return.
    """
    clients = _Clients(f"{seed} live", datetime.max.replace(tzinfo=UTC), visitors)
    for sending in _in_order(clients, _minutes(start)):
        if sending.event.timestamp >= start:
            yield sending.at, sending.event


def busyness(moment: datetime) -> float:
    """Return how busy the hour of a moment is, by clock and weekday: more than 0, at most 1."""
    usual = BY_HOUR[moment.hour] / max(BY_HOUR)
    return usual * (WEEKEND if moment.weekday() >= SATURDAY else 1)


def launch_of(end: datetime, days: int = DAYS) -> datetime:
    """Return the moment of the launch, on the last Tuesday in the first two thirds of the days."""
    latest = (end - days * DAY / 3).replace(hour=LAUNCH_HOUR, minute=0, second=0, microsecond=0)
    return latest - (latest.weekday() - LAUNCH_WEEKDAY) % 7 * DAY


def _hours(count: int, end: datetime, days: int, seed: int) -> Iterator[Span]:
    """Give the hours with their numbers of events. `end` may cut the last hour short."""
    begin = (end - days * DAY).replace(minute=0, second=0, microsecond=0) + HOUR
    launch = launch_of(end, days)
    ends, busy, total = [begin], [0.0], 0.0
    while (start := ends[-1]) < end:
        ends.append(min(start + HOUR, end))
        expected = busyness(start) * _interest(start, launch) * ((ends[-1] - start) / HOUR)
        total += expected * _luck(f"{seed} {start.date()}") * _luck(f"{seed} {start}")
        busy.append(total)
    upto = [round(count * each / total) for each in busy]
    for (start, until), (before, after) in zip(pairwise(ends), pairwise(upto), strict=True):
        yield Span(start, until, after - before)


def _parts(span: Span) -> Iterator[Span]:
    """Give equal parts of a span, each of at most MOST_AT_ONCE events."""
    count = max(1, -(-span.events // MOST_AT_ONCE))
    starts = [span.start + (span.end - span.start) * part / count for part in range(count)]
    for part, (start, end) in enumerate(pairwise([*starts, span.end])):
        yield Span(start, end, span.events * (part + 1) // count - span.events * part // count)


def _interest(moment: datetime, launch: datetime) -> float:
    if moment < launch:
        return BEFORE_LAUNCH
    return float(1 + LAUNCH_PEAK * 0.5 ** ((moment - launch) / LAUNCH_HALF_LIFE))


def _minutes(start: datetime) -> Iterator[Span]:
    """Give the minutes from half an hour before `start`, so that sessions are under way at `start`."""
    moment = start.replace(second=0, microsecond=0) - 30 * MINUTE
    while True:
        yield Span(moment, moment + MINUTE, round(60 * LIVE_EVENTS_PER_SECOND * (0.2 + 0.8 * busyness(moment))))
        moment += MINUTE


def _luck(name: str) -> float:
    return random.Random(name).lognormvariate(0, UNLIKE)  # noqa: S311  # the same for the same name


class _Clients:
    """The clients of all visitors: what each sends, and when. No event happens after `end`."""

    def __init__(self, seed: str, end: datetime, visitors: int = 0) -> None:
        self._visits = Visits(f"{seed} visits", visitors)
        self._chance = random.Random(f"{seed} clients")  # noqa: S311  # the same for the same seed
        self._end = end
        self._number = 0

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
