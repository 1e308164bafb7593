"""Local days, weeks and months, compared with a walk that reads the zone's clocks every quarter of an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, reset_tzpath

import pytest

from service.errors import ServiceError
from service.http.answers import status_of
from service.questions.buckets import DAY, WEEK, bounds_of, earlier, whole_periods, zone
from service.questions.hours import QUARTER

HOUR = timedelta(hours=1)
# Zones with moments of clock changes: at midnight in Tehran, Cairo and Havana, by half an hour in Lord Howe.
CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00Z", "2026-10-03T15:30Z"],
    "America/St_Johns": ["2026-03-08T05:30Z", "2026-11-01T04:30Z"],
    "Asia/Tehran": ["2022-03-21T20:30Z", "2022-09-21T19:30Z"],
    "Africa/Cairo": ["2026-04-23T22:00Z", "2026-10-29T21:00Z"],
    "America/Havana": ["2026-03-08T05:00Z", "2026-11-01T05:00Z"],
    "Asia/Kathmandu": ["2026-11-24T00:00Z"],
    "Pacific/Apia": ["2011-12-30T10:00Z"],
    "UTC": ["2026-12-31T23:00Z"],
}
CASES = [(name, datetime.fromisoformat(text)) for name, texts in CHANGES.items() for text in texts]


@pytest.fixture
def no_system_zones() -> Iterator[None]:
    """Hide the time zones of the system, as on one that has none or lacks the old names."""
    reset_tzpath(to=[])
    ZoneInfo.clear_cache()
    yield
    reset_tzpath()
    ZoneInfo.clear_cache()


@pytest.mark.parametrize(
    "name", ["Asia/Calcutta", "Europe/Kiev", "America/Buenos_Aires", "US/Eastern", "Europe/Berlin"]
)
def test_the_names_that_browsers_send_are_known_on_every_system(no_system_zones: None, name: str) -> None:
    assert str(zone(name)) == name


def period(local: datetime, interval: str) -> tuple[int, ...]:
    day = local.date()
    if interval == "hour":
        return day.year, day.month, day.day, local.hour, -int((local.utcoffset() or HOUR).total_seconds())
    if interval == "day":
        return day.year, day.month, day.day
    return day.isocalendar()[:2] if interval == "week" else (day.year, day.month)


def walked(since: datetime, until: datetime, interval: str, name: str) -> list[datetime]:
    """Return the bounds, found without arithmetic on local times."""
    bounds = [since]
    newest = period(since.astimezone(ZoneInfo(name)), interval)
    moment = since
    while (moment := moment + QUARTER) < until:
        found = period(moment.astimezone(ZoneInfo(name)), interval)
        # Where clocks go back over midnight, a day goes on. An hour comes a second time.
        if found > newest or (interval == "hour" and found != newest):
            bounds.append(moment)
            newest = found
    return [*bounds, until]


@pytest.mark.parametrize("interval", ["day", "week", "month"])
@pytest.mark.parametrize(("name", "change"), CASES)
def test_buckets_begin_when_the_clocks_say_so(name: str, change: datetime, interval: str) -> None:
    hour = change.replace(minute=0)
    for before, after in (
        *((3 * DAY, 4 * DAY), (0 * DAY, DAY), (47 * HOUR, 5 * HOUR), (40 * DAY, 33 * DAY)),
        *((3 * DAY - QUARTER, 4 * DAY), (QUARTER, DAY + 2 * QUARTER), (DAY + 3 * QUARTER, DAY)),
    ):
        since, until = hour - before, hour + after
        assert bounds_of(since, until, interval, zone(name)) == walked(since, until, interval, name)


def test_hours_are_hours_of_utc() -> None:
    since = datetime(2026, 10, 24, 21, tzinfo=UTC)
    assert bounds_of(since, since + 3 * HOUR, "hour", zone("Asia/Kathmandu")) == [since + n * HOUR for n in range(4)]
    cut = bounds_of(since - QUARTER, since + HOUR + QUARTER, "hour", zone("Europe/Berlin"))
    assert cut == [since - QUARTER, since, since + HOUR, since + HOUR + QUARTER]
    assert whole_periods(cut, "hour", zone("Europe/Berlin")) == [False, True, False]


@pytest.mark.parametrize(("name", "change"), CASES)
def test_hours_of_a_local_day_are_those_of_its_clocks(name: str, change: datetime) -> None:
    """When the day begins at a full hour of UTC, its hours are those of UTC."""
    there = ZoneInfo(name)
    for ago in (0 * DAY, 3 * DAY):
        day = (change - ago).astimezone(there).date()
        since, until = (datetime.combine(date, time(), there).astimezone(UTC) for date in (day, day + DAY))
        bounds = bounds_of(since, until, "hour", zone(name))
        if since.minute or until.minute:
            assert bounds == walked(since, until, "hour", name)
        else:
            assert bounds == [since + n * HOUR for n in range((until - since) // HOUR + 1)]
        assert all(whole_periods(bounds, "hour", zone(name)))


def test_minutes_and_quarters_have_one_length() -> None:
    since = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # the clocks change within two hours
    for interval, length in (("minute", timedelta(minutes=1)), ("quarter", QUARTER)):
        bounds = bounds_of(since, since + 2 * HOUR, interval, zone("Europe/Berlin"))
        assert bounds == [since + n * length for n in range(2 * HOUR // length + 1)]
        assert all(whole_periods(bounds, interval, zone("Europe/Berlin")))
        assert earlier(bounds, "previous", interval, zone("Europe/Berlin")) == [bound - 2 * HOUR for bound in bounds]


@pytest.mark.parametrize(("name", "change"), CASES)
@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("comparison", ["previous", "week"])
def test_there_are_as_many_buckets_to_compare_with(name: str, change: datetime, interval: str, comparison: str) -> None:
    hour = change.replace(minute=0)
    for before, after in ((3 * DAY, 4 * DAY), (47 * HOUR, 5 * HOUR), (10 * DAY, 0 * DAY)):
        bounds = bounds_of(hour - before, hour + after, interval, zone(name))
        found = earlier(bounds, comparison, interval, zone(name))
        assert len(found) == len(bounds)
        assert all(start <= end for start, end in pairwise(found))
        assert found[-1] == bounds[0] if comparison == "previous" else found[-1] <= bounds[0] + HOUR


def local(moments: list[datetime], name: str) -> list[str]:
    return [f"{moment.astimezone(ZoneInfo(name)):%a %H:%M}" for moment in moments]


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"])
def test_days_are_compared_with_days_across_a_change_of_the_clocks(name: str) -> None:
    midnight = next(
        moment
        for moment in (datetime(2026, 11, 3, tzinfo=UTC) + quarter * QUARTER for quarter in range(96))
        if f"{moment.astimezone(ZoneInfo(name)):%H:%M}" == "00:00"
    )
    bounds = [midnight + n * DAY for n in range(8)]
    week = earlier(bounds, "week", "day", zone(name))
    previous = earlier(bounds, "previous", "day", zone(name))
    assert week == previous
    assert local(week, name) == local(bounds, name)
    month = earlier(bounds, "week", "day", zone(name))
    for _ in range(4):
        month = earlier(month, "week", "day", zone(name))
        assert local(month, name) == local(bounds, name)
    lengths = {end - start for start, end in pairwise(month)}
    assert lengths <= {23 * HOUR, 23.5 * HOUR, 24 * HOUR, 24.5 * HOUR, 25 * HOUR}


@pytest.mark.parametrize(("hours", "weeks"), [(1, 1), (168, 1), (169, 2), (720, 5)])
def test_weekdays_are_matched_by_the_fewest_whole_weeks(hours: int, weeks: int) -> None:
    since = datetime(2026, 6, 3, 5, tzinfo=UTC)
    bounds = [since, since + hours * HOUR]
    assert earlier(bounds, "week", "hour", UTC) == [bound - weeks * WEEK for bound in bounds]


@pytest.mark.parametrize(
    "name", ["", "Nowhere", "Europe", "../UTC", "/etc/passwd", "x" * 300, "ü", "Europe/Berlin\n", "+01:00", "tzdata.zi"]
)
def test_what_is_no_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(ServiceError) as refused:
        zone(name)
    assert (status_of(refused.value).number, refused.value.field) == (400, "tz")


def test_days_that_begin_within_a_quarter_of_an_hour_are_refused() -> None:
    since = datetime(1930, 6, 3, tzinfo=UTC)
    with pytest.raises(ServiceError) as refused:
        bounds_of(since, since + 5 * DAY, "day", zone("Africa/Monrovia"))
    assert refused.value.field == "tz"
