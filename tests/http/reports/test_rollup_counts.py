"""What a rollup counts: many keys, odd values, sessions of several hours, and events of the last moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psutil

from tests.http.support.paths import ROLLUPS
from tests.http.support.site import HOUR, Site, an_event, hour_start, now, text_of, unique


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
    # A fold under way would go on in the database and fold some of the events.
    site.wait_until_folded()
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
    site.wait_until_folded()
    assert {**site.get(ROLLUPS, **names), "as_of": None} == {**answer, "as_of": None}


def test_a_late_event_is_counted_where_it_belongs(site: Site) -> None:
    hour = hour_start(now()) - 110 * HOUR
    path = f"{ROLLUPS}/{text_of(hour)}"
    for number in range(3):
        site.send(an_event(at=hour + timedelta(minutes=59, seconds=59, microseconds=999_999), session_id=unique("s")))
        assert site.get(path)["rollup"]["unique_sessions"] == number + 1
        site.wait_until_folded()
        assert site.get(path)["rollup"]["total_events"] == number + 1
