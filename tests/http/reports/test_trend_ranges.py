"""Ranges in quarters of an hour: days in zones of half and quarter hours, minutes, and times before the first event."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.ingest.timestamps import parse_time
from tests.http.support.known import Known
from tests.http.support.paths import PROOFS, ROLLUPS, SUMMARY, TOP, TRACK, TRENDS
from tests.http.support.site import HOUR, RAW, Json, hour_start, now, text_of

# Zones whose days do not begin at a full hour of UTC.
ZONES = ("Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "America/St_Johns")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
QUARTER = 15 * MINUTE


def between(since: datetime, until: datetime) -> Json:
    return {"from": text_of(since), "to": text_of(until)}


def local_day(known: Known, zone: str) -> tuple[datetime, datetime, list[Json]]:
    """Return the local day of the busiest hour, and its events by their local dates."""
    there = ZoneInfo(zone)
    day = known.busiest().astimezone(there).date()
    since, until = (datetime.combine(date, time(), there).astimezone(UTC) for date in (day, day + DAY))
    return since, until, [event for at, event in known.by_moment if at.astimezone(there).date() == day]


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_day_is_exactly_that_day(known: Known, zone: str) -> None:
    since, until, events = local_day(known, zone)
    assert since.minute
    asked = between(since, until)
    for filters in ({}, {"where": "event_type exists"}):
        totals = known.site.get(SUMMARY, **asked, **filters)["totals"]
        assert totals["events"] == len(events)
        assert totals["sessions"] == len({event["session_id"] for event in events})
        assert totals["users"] == len({event["user_id"] for event in events if event.get("user_id")})
    assert known.site.get(TOP, by="event_type", **asked)["total"] == len(events)
    assert known.site.get(TRACK, limit=1, **asked)["total_in_range"] == len(events)
    assert known.site.get(ROLLUPS, **asked)["total_events"] == len(events)
    for interval, length in (("quarter", 96), ("hour", 24), ("day", 1)):
        buckets = known.site.get(TRENDS, interval=interval, tz=zone, **asked)["buckets"]
        assert len(buckets) == length
        assert sum(bucket["value"] for bucket in buckets) == len(events)
        starts = [parse_time(bucket["start"]).astimezone(ZoneInfo(zone)) for bucket in buckets]
        assert {start.minute for start in starts} == ({0, 15, 30, 45} if interval == "quarter" else {0})
        assert all(bucket["complete"] == (parse_time(bucket["end"]) <= now()) for bucket in buckets)


def test_proofs_are_of_the_whole_hours_that_the_range_touches(known: Known) -> None:
    since, until, _ = local_day(known, "Asia/Kathmandu")
    answer = known.site.get(PROOFS, **between(since, until))
    first, end = hour_start(since), hour_start(until) + HOUR
    assert (answer["from"], answer["to"]) == (text_of(first), text_of(end))
    assert sum(proof["events"] for proof in answer["proofs"]) == len(known.between(first, end))


@pytest.mark.parametrize("metric", ["events", "sessions", "event_types", "visitors"])
def test_minutes_are_counted_from_raw_events(known: Known, metric: str) -> None:
    since = known.busiest() - 2 * HOUR + 15 * MINUTE
    asked = between(since, since + 3 * HOUR) | {"metric": metric}
    answer = known.site.get(TRENDS, interval="minute", compare="previous", **asked)
    assert answer["source"] in RAW
    assert answer["interval"] == "minute"
    starts = [since + number * MINUTE for number in range(180)]
    for rows, by in ((answer["buckets"], 0 * HOUR), (answer["compare"], 3 * HOUR)):
        assert [row["start"] for row in rows] == [text_of(start - by) for start in starts]
        found = [row["value"] for row in rows]
        inside = [known.between(start - by, start - by + MINUTE) for start in starts]
        assert found == [value(metric, events) for events in inside]
        assert sum(found) > 0
    quarters = known.site.get(TRENDS, interval="quarter", **asked)
    assert quarters["source"] == "rollups"
    assert [bucket["value"] for bucket in quarters["buckets"]] == [
        value(metric, known.between(since + number * QUARTER, since + (number + 1) * QUARTER)) for number in range(12)
    ]


def value(metric: str, events: list[Json]) -> int:
    sessions = {event["session_id"] for event in events}
    named = [event for event in events if event.get("user_id")]
    return {
        "events": len(events),
        "sessions": len(sessions),
        "event_types": len({event["event_type"] for event in events}),
        "visitors": len({event["user_id"] for event in named})
        + len(sessions - {event["session_id"] for event in named}),
    }[metric]


def test_nothing_is_compared_with_a_time_before_the_first_event(known: Known) -> None:
    oldest = min(at for at, _ in known.by_moment)
    first = oldest - (oldest - hour_start(oldest)) % QUARTER
    since = first + 2 * HOUR
    asked = between(since, since + 4 * HOUR) | {"compare": "previous"}
    for filters in ({}, {"where": "event_type exists"}):
        buckets = known.site.get(TRENDS, interval="quarter", **asked, **filters)["compare"]
        assert [bucket["value"] is None for bucket in buckets] == [True] * 8 + [False] * 8
        assert {bucket.get("reason") for bucket in buckets[:8]} == {"before_data"}
        assert all("reason" not in bucket for bucket in buckets[8:])
    # The first hour with data is there, but it is only a part.
    hours = known.site.get(TRENDS, interval="hour", **asked)["compare"]
    cut = [bucket for bucket in hours if parse_time(bucket["start"]) < first < parse_time(bucket["end"])]
    assert all(bucket["value"] > 0 and not bucket["complete"] for bucket in cut)
    assert known.site.get(SUMMARY, **asked)["compare"]["data_from"] == text_of(first)
    assert known.site.get(SUMMARY, compare="previous", **between(first, first + HOUR))["compare"] is None
    later = known.site.get(SUMMARY, compare="previous", **between(first + HOUR, first + 2 * HOUR))["compare"]
    assert "data_from" not in later
