"""Buckets of time: minutes, quarters, hours, and the days, weeks and months of a time zone.

Bounds are ascending moments in UTC. Bucket n, from 0, is [bounds[n], bounds[n + 1]). The range begins and ends at whole
quarters of an hour, and may cut the first and the last bucket. A local day has 23, 24 or 25 hours; on Lord Howe Island
it can have 23.5 or 24.5.
Hours are those of UTC, unless the range begins or ends at a full hour that only the zone has: a day in Kathmandu begins
at 18:15 UTC and has 24 whole hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import accumulate
from zoneinfo import ZoneInfo

from service.questions.hours import HOUR, QUARTER, hour_start
from service.questions.parameters import SHOWN, invalid

INTERVALS = ("minute", "quarter", "hour", "day", "week", "month")
# The same length at any time, in any zone.
FIXED = {"minute": timedelta(minutes=1), "quarter": QUARTER}
COMPARISONS = ("none", "previous", "week", "year")
# The days that weeks may begin with, as date.weekday counts them.
MONDAY, SUNDAY = 0, 6
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
YEAR = 52 * WEEK  # so that weekdays stay the same
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

Bounds = list[datetime]


def zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name. Raises InvalidParameter when this machine does not know it."""
    if name == "UTC":  # works without a database of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError) as error:
        raise invalid(
            "tz", f"must be a time zone that this machine knows, such as Europe/Berlin, not {name[:SHOWN]!r}"
        ) from error


def bounds_of(since: datetime, until: datetime, interval: str, zone: tzinfo, first_day: int = MONDAY) -> Bounds:
    """Return the bounds of all buckets. Raises InvalidParameter for one that is not at a quarter of an hour (UTC).

    first_day: of a week, MONDAY or SUNDAY.
    """
    if length := FIXED.get(interval):
        return [since + step * length for step in range((until - since) // length + 1)]
    with _within_calendar():
        if interval == "hour":
            return _checked([*_hours(since, until, _zone_of_hours(since, until, zone)), until])
        inner = {start for start in _local_starts(since, until, interval, zone, first_day) if since < start < until}
    return _checked([since, *sorted(inner), until])  # the set drops days that the zone skipped


def earlier(bounds: Bounds, comparison: str, interval: str, zone: tzinfo) -> Bounds:
    """Return the bounds of the same number of buckets in an earlier range. Raises InvalidParameter.

    comparison: `previous` moves the range back by its own length. `week` and `year` move it back by the smallest
    multiple of one week or 52 weeks that is at least its length. When the move is a whole number of local days, bounds
    keep their local time of day, so that days stay days.
    """
    with _within_calendar():
        return _earlier(bounds, comparison, interval, zone)


def _earlier(bounds: Bounds, comparison: str, interval: str, zone: tzinfo) -> Bounds:
    local = interval in ("day", "week", "month")
    length = _wall(bounds[-1], zone) - _wall(bounds[0], zone) if local else bounds[-1] - bounds[0]
    step = {"week": WEEK, "year": YEAR}.get(comparison)
    by = length if step is None else -(-length // step) * step
    if not local or by % DAY:
        by = bounds[-1] - bounds[0] if step is None else by
        return [bound - by for bound in bounds]
    moved = [(_wall(bound, zone) - by).replace(tzinfo=zone).astimezone(UTC) for bound in bounds]
    if comparison == "previous":
        moved[-1] = bounds[0]
    # A local time that the zone skipped becomes a moment later than the next bound.
    return _checked(list(accumulate(moved, max)))


@contextmanager
def _within_calendar() -> Iterator[None]:
    """Translate an overflow of the calendar into InvalidParameter."""
    try:
        yield
    except OverflowError as error:
        raise invalid("from", "is too close to the first or last year of the calendar") from error


def complete(bounds: Bounds, whole: list[bool], now: datetime) -> list[bool]:
    """Return, for each bucket, whether it is over and whole. whole: the result of `whole_periods`."""
    return [is_whole and end <= now for is_whole, end in zip(whole, bounds[1:], strict=True)]


def whole_periods(bounds: Bounds, interval: str, zone: tzinfo, first_day: int = MONDAY) -> list[bool]:
    """Return, for each bucket, whether it is a whole period: the range may cut the first and the last."""
    if interval == "hour":
        zone = _zone_of_hours(bounds[0], bounds[-1], zone)
    ends = ((0, bounds[0]), (len(bounds) - 2, bounds[-1]))
    cut = {place for place, bound in ends if not _is_start(bound, interval, zone, first_day)}
    return [place not in cut for place in range(len(bounds) - 1)]


def _zone_of_hours(since: datetime, until: datetime, zone: tzinfo) -> tzinfo:
    """Return the zone whose hours divide a range."""
    return zone if any(end.minute and _is_start(end, "hour", zone) for end in (since, until)) else UTC


def _is_start(moment: datetime, interval: str, zone: tzinfo, first_day: int = MONDAY) -> bool:
    if interval in FIXED:
        return True
    if interval == "hour":
        return not _past_hour(moment, zone)
    day = moment.astimezone(zone).date()
    starts = {"day": day, "week": day - (day.weekday() - first_day) % 7 * DAY, "month": day.replace(day=1)}
    return datetime.combine(starts[interval], time(), zone).astimezone(UTC) == moment


def _local_starts(since: datetime, until: datetime, interval: str, zone: tzinfo, first_day: int) -> Iterator[datetime]:
    """Give the starts of the periods after `since`, up to the first at or after `until`."""
    day = since.astimezone(zone).date()
    start = since
    while start < until:
        day = _next(day, interval, first_day)
        start = datetime.combine(day, time(), zone).astimezone(UTC)
        yield start


def _hours(since: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Give `since` and each full hour of the zone before `until`. An hour in which clocks change can be shorter."""
    start = since
    while start < until:
        yield start
        start += HOUR - _past_hour(start, zone)


def hour_end(moment: datetime, zone: tzinfo) -> datetime:
    """Return the end of the hour of a moment, by the clocks of a zone."""
    return moment.astimezone(UTC) + HOUR - _past_hour(moment.astimezone(UTC), zone)


def _past_hour(moment: datetime, zone: tzinfo) -> timedelta:
    """Return how long after a full hour the clocks of a zone are."""
    wall = moment if zone is UTC else _wall(moment, zone)
    return wall - hour_start(wall)


def _next(day: date, interval: str, first_day: int) -> date:
    """Return the first day of the next period."""
    if interval == "day":
        return day + DAY
    if interval == "week":
        return day + (7 - (day.weekday() - first_day) % 7) * DAY
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    """Return the local time in a zone, without its offset."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _checked(bounds: Bounds) -> Bounds:
    """Refuse bounds that are not quarters of an hour in UTC, such as days in Amsterdam before 1937."""
    if any((bound - EPOCH) % QUARTER for bound in bounds):
        raise invalid("tz", "must have days that begin at a quarter of an hour in UTC throughout the range")
    return bounds
