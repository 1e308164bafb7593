"""How many events come in each hour of a demo: in its days, and in the hours that follow them while the demo runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SEED = 2018
DAYS = 30
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# How busy each hour of a weekday is (UTC).
BY_HOUR = (8, 6, 5, 5, 5, 6, 9, 16, 30, 48, 56, 54, 44, 50, 57, 55, 50, 42, 34, 30, 28, 22, 15, 11)
WEEKEND = 0.4
SATURDAY = 5
# The product was launched on a Tuesday morning. Many visitors came, and some stayed.
LAUNCH_WEEKDAY = 1
LAUNCH_HOUR = 9
BEFORE_LAUNCH = 0.6
LAUNCH_PEAK = 2.0
LAUNCH_HALF_LIFE = 1.5 * DAY
# Three weeks pass from the launch to the end, so that the peak is in neither of the last two weeks.
SINCE_LAUNCH = 0.7
# Each week has this many times the events of the week before.
GROWTH = 1.12
# The spread of days and hours around the usual (sigma of a lognormal factor), so that no two are alike. That of days is
# small beside the growth of a week.
DAYS_UNLIKE = 0.04
HOURS_UNLIKE = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, and the number of events of the sessions that begin in it."""

    start: datetime
    end: datetime
    events: int


class Pace:
    """The pace of a demo that has `count` events in the `days` days before `end`. The same arguments give the same."""

    def __init__(self, count: int, end: datetime, days: int = DAYS, seed: int = SEED) -> None:
        self._count = count
        self._end = end
        self._seed = seed
        self._begin = (end - days * DAY).replace(minute=0, second=0, microsecond=0) + HOUR
        self.launch = launch_of(end, days)
        self._whole = sum(self._weight(start, until) for start, until in _hours(self._begin, end))

    def expected(self, start: datetime, until: datetime) -> float:
        """Return how many events come within a part of one hour."""
        return self._count * self._weight(start, until) / self._whole

    def an_hour(self, moment: datetime) -> float:
        """Return how many events come in an hour like that of a moment."""
        return self.expected(moment, moment + HOUR)

    def past(self) -> Iterator[Span]:
        """Give the hours of the demo's days. `end` may cut the last one short."""
        return self._spans(self._begin, self._end)

    def live(self, start: datetime, ahead: int = 0) -> Iterator[Span]:
        """Give the hours from `start` on without end. ahead: this many of their events came already."""
        return self._spans(start, datetime.max.replace(tzinfo=UTC), ahead)

    def _spans(self, since: datetime, until: datetime, given: int = 0) -> Iterator[Span]:
        total = 0.0
        for start, end in _hours(since, until):
            total += self.expected(start, end)
            upto = max(given, round(total))
            yield Span(start, end, upto - given)
            given = upto

    def _weight(self, start: datetime, until: datetime) -> float:
        luck = _luck(f"{self._seed} {start.date()}", DAYS_UNLIKE)
        luck *= _luck(f"{self._seed} {_hour_of(start)}", HOURS_UNLIKE)
        # What comes after the end goes on at its pace.
        grown: float = GROWTH ** ((min(start, self._end) - self.launch) / (7 * DAY))
        return busyness(start) * _interest(start, self.launch) * grown * luck * ((until - start) / HOUR)


def busyness(moment: datetime) -> float:
    """Return how busy the hour of a moment is, by clock and weekday: more than 0, at most 1."""
    usual = BY_HOUR[moment.hour] / max(BY_HOUR)
    return usual * (WEEKEND if moment.weekday() >= SATURDAY else 1)


def launch_of(end: datetime, days: int = DAYS) -> datetime:
    """Return the moment of the launch, on the last Tuesday in the first three tenths of the days."""
    latest = (end - SINCE_LAUNCH * days * DAY).replace(hour=LAUNCH_HOUR, minute=0, second=0, microsecond=0)
    return latest - (latest.weekday() - LAUNCH_WEEKDAY) % 7 * DAY


def _hours(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the start and end of each hour between two moments, which may cut the first and the last one short."""
    start = since
    while start < until:
        end = min(_hour_of(start) + HOUR, until)
        yield start, end
        start = end


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _interest(moment: datetime, launch: datetime) -> float:
    if moment < launch:
        return BEFORE_LAUNCH
    return float(1 + LAUNCH_PEAK * 0.5 ** ((moment - launch) / LAUNCH_HALF_LIFE))


def _luck(name: str, unlike: float) -> float:
    return random.Random(name).lognormvariate(0, unlike)  # noqa: S311  # the same for the same name
