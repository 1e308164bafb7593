"""Rollups of any range: numbers equal to a count in plain Python."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.http.support.known import Known
from tests.http.support.paths import ROLLUPS
from tests.http.support.site import HOUR, Json, hour_start, now, text_of

FIELDS = ["ok", "count", "hours", "total_events", "total_sessions", "distinct_sessions", "rollups", "as_of"]
ROLLUP_FIELDS = ["hour", "event_counts", "tool_usage", "risk_distribution", "unique_sessions", "total_events"]
COUNTS = ("event_counts", "tool_usage", "risk_distribution")


def check(known: Known, answer: Json, hours: list[datetime]) -> None:
    """Check that an answer has exactly these hours, with the counts of their events."""
    assert list(answer) == FIELDS
    assert [rollup["hour"] for rollup in answer["rollups"]] == [text_of(hour) for hour in hours]
    for hour, rollup in zip(hours, answer["rollups"], strict=True):
        assert list(rollup) == ROLLUP_FIELDS
        expected = known.rollup(hour)
        for name in COUNTS:
            if len(expected[name]) > 1000:
                check_many(rollup.pop(name), expected.pop(name))
        assert rollup == expected
    inside = [event for hour in hours for event in known.between(hour, hour + HOUR)]
    assert answer["count"] == len(hours)
    assert answer["total_events"] == len(inside)
    assert answer["total_sessions"] == sum(known.rollup(hour)["unique_sessions"] for hour in hours)
    assert answer["distinct_sessions"] == len({event["session_id"] for event in inside})


def check_many(shown: dict[str, int], counted: dict[str, int]) -> None:
    """Check counts of more keys than an answer names: it names the largest and sums the rest."""
    rest = shown.pop("(other)")
    assert 990 <= len(shown) < 1000
    assert all(counted[key] == events for key, events in shown.items())
    assert rest == sum(counted.values()) - sum(shown.values())
    assert min(shown.values()) >= max(events for key, events in counted.items() if key not in {*shown, "(other)"})


def but_for_the_lag(answer: Json) -> Json:
    """Return an answer without the lag, because the projector changes it while it catches up."""
    return {**answer, "as_of": {"positions": answer["as_of"]["positions"]}}


@pytest.mark.parametrize("hours", [1, 2, 8, 24, 167, 8784])
def test_the_last_hours_are_counted_exactly(known: Known, hours: int) -> None:
    answer, since = in_last(known, hours)
    assert answer["hours"] == hours
    check(known, answer, known.hours(since))


def in_last(known: Known, hours: int, **query: object) -> tuple[Json, datetime]:
    """Return the answer about the last hours, and the first of these hours."""
    while True:
        first = hour_start(now()) + HOUR - hours * HOUR
        answer = known.site.get(ROLLUPS, hours=hours, **query)
        if first == hour_start(now()) + HOUR - hours * HOUR:
            return answer, first


def test_the_default_is_a_week(known: Known) -> None:
    answer = known.site.get(ROLLUPS)
    assert answer["hours"] == 168
    assert but_for_the_lag(answer) == but_for_the_lag(known.site.get(ROLLUPS, hours=168))


def test_any_range_of_hours_is_counted_exactly(known: Known) -> None:
    last = known.hours(datetime.fromisoformat("2000-01-01T00:00Z"))[0]
    for ago, length in ((60, 20), (30, 1), (29, 7), (25, 3), (24, 24), (24, 5), (22, 1), (50, 51)):
        since = last - ago * HOUR
        until = since + length * HOUR
        answer = known.site.get(ROLLUPS, **{"from": text_of(since), "to": text_of(until)})
        assert answer["hours"] == length
        check(known, answer, known.hours(since, until))


def test_a_range_is_half_open(known: Known) -> None:
    hours = known.hours(datetime.fromisoformat("2000-01-01T00:00Z"))
    for hour in hours[3:6]:
        answer = known.site.get(ROLLUPS, **{"from": text_of(hour), "to": text_of(hour + HOUR)})
        check(known, answer, [hour])


@pytest.mark.parametrize(("first", "last"), [(15, 45), (30, 30), (45, 15), (0, 15), (45, 0)])
def test_an_hour_that_the_range_cuts_says_what_it_counts(known: Known, first: int, last: int) -> None:
    since = known.busiest() - 4 * HOUR + timedelta(minutes=first)
    until = known.busiest() + timedelta(minutes=last)
    answer = known.site.get(ROLLUPS, fill=1, **{"from": text_of(since), "to": text_of(until)})
    hours = [hour_start(since) + step * HOUR for step in range(5 if last else 4)]
    assert answer["hours"] == (until - since) / HOUR
    for hour, rollup in zip(hours, reversed(answer["rollups"]), strict=True):
        part = max(hour, since), min(hour + HOUR, until)
        expected = known.rollup(hour, known.between(*part))
        for name in COUNTS:
            if len(expected[name]) > 1000:
                check_many(rollup.pop(name), expected.pop(name))
        said = {"from": text_of(part[0]), "to": text_of(part[1])} if part != (hour, hour + HOUR) else {}
        assert rollup == expected | said
    inside = known.between(since, until)
    assert answer["total_events"] == len(inside)
    assert answer["distinct_sessions"] == len({event["session_id"] for event in inside})


def test_ranges_may_be_written_with_any_offset(known: Known) -> None:
    hour = known.busiest()
    there = hour + 2 * HOUR
    answers = [
        but_for_the_lag(known.site.client.get(f"{ROLLUPS}?from={since}&to={until}").json())
        for since, until in (
            (text_of(hour), text_of(hour + HOUR)),
            (f"{hour:%Y-%m-%dT%H:%M}", f"{hour + HOUR:%Y-%m-%dT%H:%M}"),
            (f"{there:%Y-%m-%dT%H:%M:%S}%2B02:00", f"{there + HOUR:%Y-%m-%dT%H:%M:%S}%2B02:00"),
            (f"{there:%Y-%m-%dT%H:%M:%S}+02:00", f"{there + HOUR:%Y-%m-%dT%H:%M:%S}+02:00"),
        )
    ]
    assert answers[0]["ok"] is True
    assert answers == [answers[0]] * 4


def test_fill_names_every_hour_up_to_the_current_one_and_what_is_ahead(known: Known) -> None:
    answer, first = in_last(known, 40, fill=1)
    hours = {first + step * HOUR for step in range(40)} | set(known.hours(first))
    check(known, answer, sorted(hours, reverse=True))
    assert 40 <= answer["count"] <= 41


def test_fill_names_every_hour_of_a_range(known: Known) -> None:
    since = known.busiest() - 60 * HOUR
    answer = known.site.get(ROLLUPS, fill=1, **{"from": text_of(since), "to": text_of(since + 62 * HOUR)})
    check(known, answer, [since + step * HOUR for step in reversed(range(62))])


def test_fill_ends_with_the_current_hour_though_the_range_goes_on(known: Known) -> None:
    while True:
        current = hour_start(now())
        answer = known.site.get(
            ROLLUPS, fill=1, **{"from": text_of(current - HOUR), "to": text_of(current + 30 * HOUR)}
        )
        if current == hour_start(now()):
            break
    check(known, answer, sorted({current - HOUR, current, *known.hours(current)}, reverse=True))
    assert answer["hours"] == 31


def test_no_fill_is_the_default(known: Known) -> None:
    for no in ("0", "false"):
        assert but_for_the_lag(known.site.get(ROLLUPS, fill=no)) == but_for_the_lag(known.site.get(ROLLUPS))


def test_an_answer_tells_how_far_it_goes(known: Known) -> None:
    known.site.wait_until_folded()
    ((head,),) = known.site.rows("select max(position) from events")
    assert known.site.get(ROLLUPS)["as_of"] == {"positions": [head], "lag_events": 0}


def test_more_than_a_thousand_keys_are_summed_under_other(known: Known) -> None:
    hour = known.busiest()
    answer = known.site.get(f"{ROLLUPS}/{text_of(hour)}")["rollup"]
    expected = known.rollup(hour)
    assert len(expected["event_counts"]) > 1000 < len(expected["tool_usage"])
    for name in ("event_counts", "tool_usage"):
        assert len(answer[name]) == 1000
        check_many(answer[name], expected[name])
    assert answer["total_events"] == expected["total_events"]
