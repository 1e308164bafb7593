"""Ranges of the calendar, compared with days that are counted one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.questions.buckets import bounds_of, whole_periods
from service.questions.hours import EVERYTHING
from service.questions.ranges import RANGES, closed_range

DAY = timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Havana")
NOWS = (
    *(
        "2026-03-01T00:00Z",
        "2026-03-29T01:30Z",
        "2026-10-25T23:59:59.999999Z",
        "2026-12-31T23:45Z",
        "2027-01-01T00:10Z",
    ),
    *("2028-02-29T12:00Z", "2026-11-01T05:05Z", "2026-11-02T04:00Z"),
)


def days(name: str, today: date, first_day: int) -> set[date]:
    """Return the local days of a range, up to today."""
    near = [today - step * DAY for step in range(800)]
    week = next(day for day in near if day.weekday() == first_day)
    months = sorted({(day.year, day.month) for day in near}, reverse=True)
    return {
        "today": {today},
        "yesterday": {today - DAY},
        "this_week": {day for day in near if day >= week},
        "last_week": {day for day in near if week - 7 * DAY <= day < week},
        "this_month": {day for day in near if (day.year, day.month) == months[0]},
        "last_month": {day for day in near if (day.year, day.month) == months[1]},
        "this_year": {day for day in near if day.year == today.year},
        "last_7_days": set(near[:7]),
        "last_30_days": set(near[:30]),
        "last_12_months": {day for day in near if (day.year, day.month) in months[:12]},
    }[name]


@pytest.mark.parametrize("name", RANGES[:-1])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("week_start", "first_day"), [("monday", 0), ("sunday", 6)])
def test_a_range_holds_its_days(name: str, zone: str, week_start: str, first_day: int) -> None:
    tz = ZoneInfo(zone)
    for text in NOWS:
        now = datetime.fromisoformat(text)
        today = now.astimezone(tz).date()
        since, until = closed_range({"range": name, "tz": zone, "week_start": week_start}, 1, now)
        expected = days(name, today, first_day)
        assert since.astimezone(tz).date() == min(expected)
        assert (since - timedelta(microseconds=1)).astimezone(tz).date() < min(expected)
        assert (until - timedelta(microseconds=1)).astimezone(tz).date() == max(expected)
        if today in expected:
            assert now < until <= now + timedelta(hours=1)
        else:
            assert until.astimezone(tz).date() == max(expected) + DAY


def test_everything_begins_before_all_events() -> None:
    now = datetime.fromisoformat("2026-10-25T23:59Z")
    assert closed_range({"range": "all"}, 1, now) == (EVERYTHING, datetime.fromisoformat("2026-10-26T00:00Z"))


def test_an_hour_that_only_the_zone_has_ends_with_it() -> None:
    now = datetime.fromisoformat("2026-12-01T10:20Z")
    assert closed_range({"range": "today", "tz": "Asia/Kathmandu"}, 1, now)[1] == datetime.fromisoformat(
        "2026-12-01T11:15Z"
    )


def test_weeks_begin_with_their_first_day() -> None:
    since, until = datetime(2026, 11, 29, tzinfo=UTC), datetime(2026, 12, 16, tzinfo=UTC)  # a Sunday and a Wednesday
    bounds = bounds_of(since, until, "week", UTC, 6)
    assert [bound.day for bound in bounds] == [29, 6, 13, 16]
    assert whole_periods(bounds, "week", UTC, 6) == [True, True, False]
    assert whole_periods(bounds_of(since, until, "week", UTC), "week", UTC) == [False, True, True, False]
