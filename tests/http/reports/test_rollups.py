"""Rollups are fresh, and equal a count in plain Python for any range."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import httpx
import psutil
import pytest

from tests.http.support.known import Known
from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, now, refused, text_of, unique, wait_until

ROLLUPS = "/api/analytics/rollups"
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


@pytest.mark.parametrize("hours", [1, 2, 8, 24, 167, 8760])
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
    wait_until(lambda: known.site.get(ROLLUPS)["as_of"]["lag_events"] == 0, "the projector is done")
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


def test_a_thousand_keys_are_all_named(site: Site) -> None:
    hour = hour_start(now()) - 90 * HOUR
    site.send(*(an_event(at=hour, event_type=f"kind-{number}") for number in range(1000)))
    rollup = site.get(f"{ROLLUPS}/{text_of(hour)}")["rollup"]
    assert len(rollup["event_counts"]) == 1000
    assert "(other)" not in rollup["event_counts"]
    site.send(*(an_event(at=hour, event_type="(other)") for _ in range(3)))
    rollup = site.get(f"{ROLLUPS}/{text_of(hour)}")["rollup"]
    assert len(rollup["event_counts"]) == 1000
    assert sum(rollup["event_counts"].values()) == rollup["total_events"] == 1003
    assert rollup["event_counts"]["(other)"] >= 3


def test_odd_risk_modes_are_counted_as_other(site: Site) -> None:
    hour = hour_start(now()) - 95 * HOUR
    modes: list[object] = [
        "",
        "x" * 129,
        "y" * 12_000,
        1,
        1.5,
        None,
        True,
        {"a": 1},
        ["a"],
        "z" * 128,
        "high",
        "high",
        "😀",
    ]
    site.send(
        *(an_event(at=hour, event_type="risk_mode_changed", properties={"risk_mode": mode}) for mode in modes),
        an_event(at=hour, event_type="risk_mode_changed", properties={"risk": "high"}),
        an_event(at=hour, event_type="risk_mode_changed"),
        an_event(at=hour, event_type="risk_mode", properties={"risk_mode": "high"}),
    )
    rollup = site.get(f"{ROLLUPS}/{text_of(hour)}")["rollup"]
    assert rollup["risk_distribution"] == {"(other)": 9, "z" * 128: 1, "high": 2, "😀": 1}
    assert rollup["event_counts"] == {"risk_mode_changed": 15, "risk_mode": 1}


def test_a_session_of_several_hours_is_distinct_once_and_unique_in_each(site: Site) -> None:
    first = hour_start(now()) - 80 * HOUR
    sessions = {0: ["a", "b"], 1: ["a"], 3: ["a", "c", "c"], 4: ["b"]}
    site.send(
        *(
            an_event(at=first + hour * HOUR + timedelta(minutes=13), session_id=name)
            for hour, names in sessions.items()
            for name in names
        )
    )

    def asked(since: int, until: int) -> tuple[int, int]:
        moments = {"from": text_of(first + since * HOUR), "to": text_of(first + until * HOUR)}
        answer = site.get(ROLLUPS, **moments)
        return answer["total_sessions"], answer["distinct_sessions"]

    assert [asked(*hours) for hours in ((0, 5), (1, 4), (1, 3), (2, 3), (3, 5), (0, 1))] == [
        *((6, 3), (3, 2), (1, 1), (0, 0), (3, 3), (2, 2))
    ]


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """Suspend a process during the block."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_a_rollup_holds_every_event_that_was_acked_though_the_projector_stands_still(site: Site) -> None:
    hour = hour_start(now()) - 100 * HOUR
    projector = site.part("follow")
    names = {"from": text_of(hour), "to": text_of(hour + 2 * HOUR)}
    # Wait, because a fold under way would go on in the database and fold some of the events.
    wait_until(lambda: site.get(ROLLUPS)["as_of"]["lag_events"] == 0, "nothing is being folded")
    with stopped(projector):
        before = site.get(ROLLUPS, **names)["as_of"]
        for number in range(30):
            at = hour + timedelta(minutes=4 * number)
            site.client.post("/e", json=an_event(at=at, session_id=f"s-{number % 5}", tool_name="Home"))
            answer = site.get(ROLLUPS, **names)
            assert answer["total_events"] == number + 1
            assert answer["distinct_sessions"] == min(number + 1, 5)
            assert sum(rollup["tool_usage"]["Home"] for rollup in answer["rollups"]) == number + 1
            one = site.get(f"{ROLLUPS}/{text_of(hour)}")
            assert one["rollup"]["total_events"] == one["proof"]["events"] == min(number + 1, 15)
        answer = site.get(ROLLUPS, **names)
        assert answer["as_of"]["positions"][0] == before["positions"][0] + 30
        assert answer["as_of"]["lag_events"] == 30
    wait_until(lambda: site.get(ROLLUPS)["as_of"]["lag_events"] == 0, "the projector has caught up")
    assert {**site.get(ROLLUPS, **names), "as_of": None} == {**answer, "as_of": None}


def test_a_late_event_is_counted_where_it_belongs(site: Site) -> None:
    hour = hour_start(now()) - 110 * HOUR
    path = f"{ROLLUPS}/{text_of(hour)}"
    for number in range(3):
        site.send(an_event(at=hour + timedelta(minutes=59, seconds=59, microseconds=999_999), session_id=unique("s")))
        assert site.get(path)["rollup"]["unique_sessions"] == number + 1
        wait_until(lambda: site.get(ROLLUPS)["as_of"]["lag_events"] == 0, "the projector is done")
        assert site.get(path)["rollup"]["total_events"] == number + 1


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("from=2025-10-18T01:00Z", "to"),
        ("to=2025-10-18T01:00Z", "from"),
        ("from=2025-10-18T01:00Z&to=2025-10-18T01:00Z", "to"),
        ("from=2025-10-18T02:00Z&to=2025-10-18T01:00Z", "to"),
        ("from=2025-10-18T01:30Z&to=2025-10-18T03:00Z", "from"),
        ("from=2025-10-18T01:00Z&to=2025-10-18T03:00:00.000001Z", "to"),
        ("from=2025-10-18T01:00%2B00:30&to=2025-10-18T03:00Z", "from"),
        ("from=2024-10-18T01:00Z&to=2025-10-18T02:00Z", "to"),
        ("from=yesterday&to=2025-10-18T01:00Z", "from"),
        ("from=&to=2025-10-18T01:00Z", "from"),
        ("from=2025-10-18T01:00Z&to=9999-12-31T23:00Z", "to"),
        ("from=2025-10-18T01:00Z&to=2025-10-18T02:00Z&hours=1", "hours"),
        ("fill=2", "fill"),
    ],
)
def test_a_range_that_cannot_be_is_refused_by_name(client: httpx.Client, query: str, name: str) -> None:
    refused(client.get(f"{ROLLUPS}?{query}"), 400, "invalid_parameter", name)


def test_a_range_may_be_a_year_long(client: httpx.Client) -> None:
    answer = client.get(f"{ROLLUPS}?from=2024-10-18T02:00Z&to=2025-10-18T02:00Z&fill=1").json()
    assert (answer["count"], answer["hours"], answer["total_events"]) == (8760, 8760, 0)


@pytest.mark.parametrize("name", ["hour", "limit", "session_id", "total"])
def test_an_unknown_parameter_is_refused_by_name(client: httpx.Client, name: str) -> None:
    refused(client.get(ROLLUPS, params={name: "1"}), 400, "unknown_parameter", name)


@pytest.mark.parametrize(
    "hour",
    ["abc", "2025-10-18T01:30Z", "9999-12-31T23:00Z", "0001-01-01T00:00+01:00", "%00", "%ff", "2025-10-18T24:00Z"],
)
def test_what_is_no_hour_is_refused(client: httpx.Client, hour: str) -> None:
    refused(client.get(f"{ROLLUPS}/{hour}"), 400, "invalid_parameter", "hour")


def test_the_first_hour_of_the_calendar_is_an_hour_like_any_other(client: httpx.Client) -> None:
    assert client.get(f"{ROLLUPS}/0001-01-01T00:00Z").json()["rollup"]["hour"] == "0001-01-01T00:00:00.000Z"
