"""Ranges of questions: hours, two ends, or one of the calendar such as `last_month`; and what to compare them with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from service.questions import hours
from service.questions.buckets import COMPARISONS, DAY, MONDAY, SUNDAY, Bounds, bounds_of, earlier, hour_end, zone
from service.questions.hours import EVERYTHING, HOUR, MOST_HOURS, QUARTER, quarter
from service.questions.parameters import choice, invalid

RANGES = (
    *("today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_year", "last_7_days"),
    *("last_30_days", "last_12_months", "all"),
)
WEEK_STARTS = {"monday": MONDAY, "sunday": SUNDAY}
OF_RANGE = frozenset({"hours", "from", "to", "range", "tz", "week_start"})
OF_COMPARISON = frozenset({"compare", "compare_from", "compare_to"})
# Days of a range that ends now, today included.
_LAST_DAYS = {"today": 1, "last_7_days": 7, "last_30_days": 30}


def closed_range(given: Mapping[str, str], default_hours: int, now: datetime) -> tuple[datetime, datetime]:
    """Return [since, until) of `range`, `hours`, or `from` and `to`. Raises InvalidParameter.

    A range that is not over ends with the current hour. `all` begins at EVERYTHING: see kept_range.begun.
    """
    in_zone, first_day = zone(given.get("tz", "UTC")), week_start(given)
    if "range" not in given:
        return hours.closed_range(given, default_hours, now)
    if given.keys() & {"hours", "from", "to"}:
        raise invalid("range", "cannot be given together with hours, from or to")
    name = choice(given, "range", RANGES, "")
    end = hour_end(now, in_zone)
    if name == "all":
        return EVERYTHING, end
    since, until = _days(name, now.astimezone(in_zone).date(), first_day)
    return _midnight(since, in_zone), end if until is None else _midnight(until, in_zone)


def week_start(given: Mapping[str, str]) -> int:
    """Return the day that weeks begin with: MONDAY or SUNDAY. Raises InvalidParameter."""
    return WEEK_STARTS[choice(given, "week_start", WEEK_STARTS, "monday")]


def _days(name: str, today: date, first_day: int) -> tuple[date, date | None]:
    """Return the first day of a range, and the day after its last one: None for a range that is not over."""
    if days := _LAST_DAYS.get(name):
        return today - (days - 1) * DAY, None
    week = today - (today.weekday() - first_day) % 7 * DAY
    month = today.replace(day=1)
    return {
        "yesterday": (today - DAY, today),
        "this_week": (week, None),
        "last_week": (week - 7 * DAY, week),
        "this_month": (month, None),
        "last_month": ((month - DAY).replace(day=1), month),
        "this_year": (today.replace(month=1, day=1), None),
        # The month of today and the eleven before it.
        "last_12_months": (_next_month(month).replace(year=_next_month(month).year - 1), None),
    }[name]


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date, in_zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), in_zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare a range with. kind: one of COMPARISONS. range: another range, in place of a kind."""

    kind: str = "none"
    range: tuple[datetime, datetime] | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to compare with."""
        return self.kind != "none" or self.range is not None

    @property
    def length(self) -> timedelta:
        """The length of another range, 0 without one."""
        return self.range[1] - self.range[0] if self.range else timedelta(0)

    def bounds(self, bounds: Bounds, interval: str, in_zone: tzinfo, first_day: int = MONDAY) -> Bounds:
        """Return the bounds of the buckets to compare with. Raises InvalidParameter."""
        if self.range is not None:
            return bounds_of(*self.range, interval, in_zone, first_day)
        return earlier(bounds, self.kind, interval, in_zone)

    def whole(self, bounds: Bounds) -> Bounds:
        """Return the two bounds of the range to compare with. Raises InvalidParameter."""
        return earlier(bounds, self.kind, "hour", UTC) if self.range is None else [*self.range]


def comparison(given: Mapping[str, str]) -> Comparison:
    """Return what `compare`, or `compare_from` and `compare_to`, ask for. Raises InvalidParameter."""
    kind = choice(given, "compare", COMPARISONS, "none")
    named = [name for name in ("compare_from", "compare_to") if name in given]
    if not named:
        return Comparison(kind)
    if kind != "none":
        raise invalid("compare", "cannot be given together with compare_from and compare_to")
    for name in ("compare_from", "compare_to"):
        if name not in given:
            raise invalid(name, "must be given: a range to compare with needs both compare_from and compare_to")
    since, until = (quarter(name, given[name]) for name in named)
    if not QUARTER <= until - since <= MOST_HOURS * HOUR:
        raise invalid("compare_to", f"must be a quarter of an hour to {MOST_HOURS} hours after compare_from")
    return Comparison(range=(since, until))
