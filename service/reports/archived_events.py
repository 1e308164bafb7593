"""Events as DuckDB finds them: in files of the archive, and in rows of the log that no file has.

To find a page among many events, first count those that pass by hour, which reads few columns of them. Then read the
events of the hours that the page needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec import Struct

from service.archive.checks import Checks
from service.archive.list_questions import EventPage, HourCounts, Place
from service.archive.process import Answer
from service.questions.hours import HOUR, hour_start
from service.reports.event_pages import MOST_BYTES, Event, Page

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
# Each stretch of a search is longer than the one before by this factor, so that the last one costs as much as one pass.
GROWTH = 4
# How much of a range is counted at a time when all of it is read.
COUNTED = 30 * DAY
# The most events that `oldest` gives at a time. Their ids and names have up to 4 KB each.
AT_A_TIME = 2_000

Ask = Callable[[Struct], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The events of [since, until) that pass the checks. snapshot: one that PostgreSQL lends, or None."""

    since: datetime
    until: datetime
    checks: Checks = ()
    snapshot: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events pass, by hour; hours without events are missing."""

    by_hour: Mapping[datetime, int]
    sources: frozenset[str]

    @property
    def total(self) -> int:
        """The number of all events."""
        return sum(self.by_hour.values())


class ArchivedEvents:
    """Finds events. ask: asks the engine."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def counts(self, wanted: Wanted) -> Counts:
        """Return how many events there are, by hour."""
        answer = await self._ask(
            HourCounts(since=wanted.since, until=wanted.until, checks=wanted.checks, snapshot=wanted.snapshot)
        )
        return Counts({row["hour"]: row["events"] for row in answer.rows}, frozenset([answer.source]))

    async def page(self, wanted: Wanted, after: Place | None, limit: int, *, oldest_first: bool = False) -> Page:
        """Return a page of the events after a place, by one question."""
        if wanted.since >= wanted.until:
            return Page([], more=False, sources=frozenset())
        # A page of no events only tells whether there are any.
        answer = await self._ask(
            EventPage(
                since=wanted.since,
                until=wanted.until,
                checks=wanted.checks,
                snapshot=wanted.snapshot,
                after=after,
                oldest_first=oldest_first,
                most=max(limit, 1),
                most_bytes=MOST_BYTES,
            )
        )
        rows: list[Event] = list(answer.rows[:limit])
        more = len(rows) < len(answer.rows) or any(row["more"] for row in answer.rows[-1:])
        return Page(rows, more, frozenset([answer.source]))

    async def newest(
        self, wanted: Wanted, after: Place, limit: int, now: datetime, counts: Counts | None = None
    ) -> Page:
        """Return a page of the newest events after a place, from as little time as has enough of them.

        counts: of all that is wanted, when they are known. now: about the time of the newest event.
        """
        end = min(wanted.until, after.timestamp + MICROSECOND) if after.timestamp < wanted.until else wanted.until
        # Some events of the place's hour may be before it.
        whole_until = hour_start(after.timestamp) if after.timestamp < wanted.until else wanted.until
        found = counts or Counts({}, frozenset())
        for since, until in [] if counts else _stretches(wanted.since, end, now):
            part = await self.counts(replace(wanted, since=since, until=until))
            found = Counts({**found.by_hour, **part.by_hour}, found.sources | part.sources)
            if _start(found, whole_until, limit) is not None:
                break
        if not any(hour < end for hour in found.by_hour):
            return Page([], more=False, sources=found.sources)
        start = _start(found, whole_until, limit) or wanted.since
        page = await self.page(replace(wanted, since=max(start, wanted.since), until=end), after, limit)
        return replace(page, sources=found.sources | page.sources)

    async def oldest(self, wanted: Wanted) -> AsyncIterator[tuple[list[Event], datetime]]:
        """Give all events, oldest first, some at a time, each with the time up to which they are complete."""
        since = wanted.since
        while since < wanted.until:
            until = min(since + COUNTED, wanted.until)
            counts = await self.counts(replace(wanted, since=since, until=until))
            for first, last in _groups(counts.by_hour):
                part = replace(wanted, since=max(first, since), until=min(last + HOUR, until))
                async for page in self._pages(part):
                    yield page.events, page.events[-1]["timestamp"]
            yield [], until
            since = until

    async def _pages(self, wanted: Wanted) -> AsyncIterator[Page]:
        after = None
        while (page := await self.page(wanted, after, AT_A_TIME, oldest_first=True)).events:
            yield page
            if not page.more:
                return
            last = page.events[-1]
            after = Place(last["timestamp"], last["event_id"], last["shard"])


def _stretches(since: datetime, until: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Divide [since, until) into stretches, newest first: today, then more and more days."""
    start = hour_start(min(until, now)).replace(hour=0)
    days = 1
    while since < until:
        start = max(start, since)
        if start < until:
            yield start, until
        until = min(start, until)
        start = start - days * DAY if start - since > days * DAY else since
        days *= GROWTH


def _start(counts: Counts, until: datetime, limit: int) -> datetime | None:
    """Return the hour from which on more than `limit` events are before a time; None when there are fewer."""
    found = 0
    for hour in sorted(counts.by_hour, reverse=True):
        if hour < until:
            found += counts.by_hour[hour]
            if found > limit:
                return hour
    return None


def _groups(counts: Mapping[datetime, int]) -> Iterator[tuple[datetime, datetime]]:
    """Divide hours with events into groups of about AT_A_TIME events; give the first and last hour of each."""
    first, events = None, 0
    for hour in sorted(counts):
        first = first or hour
        events += counts[hour]
        if events >= AT_A_TIME:
            yield first, hour
            first, events = None, 0
    if first is not None:
        yield first, max(counts)
