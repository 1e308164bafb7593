"""The events of a demo: they look as a reader of its charts expects, and the service accepts each."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.demo.events import DemoEvents
from service.demo.pace import DAY, DAYS, HOUR, Pace, launch_of
from service.demo.product import RISK_MODES, TITLES, TOOLS
from service.demo.visits import Visits
from service.ingest.decoding import decode_event
from service.ingest.event import Event
from tests.support.sent import as_sent
from tests.support.sent_events import examples
from tests.unit.demo.conftest import COUNT, END, is_sign_up

OFTEN = {
    *("page_viewed", "page_left", "tool_used", "feature_used", "risk_mode_changed", "report_exported"),
    *("form_submitted", "signed_up", "file_downloaded"),
}
RARE = {"purchased", "outbound_link_clicked", "page_not_found"}
MINUTE = timedelta(minutes=1)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis asks so


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def whole_days(events: list[Event]) -> Counter[datetime]:
    """Count the events of each day, without the first and last, which are partial."""
    days = Counter(midnight(event.timestamp) for event in events)
    return Counter({day: count for day, count in days.items() if min(days) < day < max(days)})


def test_a_large_demo_is_made_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop that stores events can do nothing else meanwhile, not even stop."""
    made = Counter[str]()
    visit = Visits.visit

    def counted(visits: Visits, start: datetime) -> list[Event]:
        made["visits"] += 1
        return visit(visits, start)

    monkeypatch.setattr(Visits, "visit", counted)
    most = 0
    for _ in islice(DemoEvents(10_000_000, END), 50_000):
        most = max(most, made.pop("visits", 0))
    assert 0 < most <= 400


@given(count=st.integers(1, 400), end=moments, seed=st.integers(), days=st.sampled_from([1, 7, DAYS]))
@examples(25)
def test_as_many_as_asked_within_the_days_whatever_is_asked(count: int, end: datetime, seed: int, days: int) -> None:
    sent = list(DemoEvents(count, end, seed, days))
    assert sent == list(DemoEvents(count, end, seed, days))
    assert len({(event.event_id, event.timestamp) for event in sent}) == len(set(sent)) == count
    horizon = midnight(end + HOUR - days * DAY)
    assert all(horizon <= event.timestamp < end for event in sent)


def test_another_seed_gives_other_events(sent: list[Event]) -> None:
    assert not set(DemoEvents(500, END, 1)) & set(DemoEvents(500, END, 2))
    assert set(sent) == set(DemoEvents(COUNT, END))


def test_they_are_taken_as_they_are(sent: list[Event]) -> None:
    for event in sent[::20]:
        assert decode_event(as_sent(event)) == event


def test_nights_are_quieter_than_days_and_weekends_than_weekdays(events: list[Event]) -> None:
    hours = Counter(event.timestamp.hour for event in events)
    assert sum(hours[hour] for hour in range(6)) * 8 < sum(hours[hour] for hour in range(9, 15))
    days = whole_days(events)
    weeks = {day: count for day, count in days.items() if day > launch_of(END) + 7 * DAY}
    weekend = [count for day, count in weeks.items() if day.weekday() >= 5]
    weekdays = [count for day, count in weeks.items() if day.weekday() < 5]
    assert max(weekend) * 1.5 < min(weekdays)


def test_the_launch_is_the_peak_and_leaves_more_visitors_than_before(events: list[Event]) -> None:
    days = whole_days(events)
    launch = midnight(launch_of(END))
    assert max(days, key=lambda day: days[day]) == launch
    assert days[launch] > 2 * days[launch - 7 * DAY]
    assert days[launch - 7 * DAY] * 1.3 < days[launch + 13 * DAY]


@pytest.mark.parametrize("days", range(0, 60, 4))
def test_the_last_week_has_a_little_more_than_the_week_before(days: int) -> None:
    pace = Pace(COUNT, end := END + days * DAY)
    hours = [end.replace(minute=0) - number * HOUR for number in range(1, 14 * 24 + 1)]
    last, before = (sum(pace.an_hour(hour) for hour in part) for part in (hours[: 7 * 24], hours[7 * 24 :]))
    assert 1 < last / before < 1.25


def test_all_that_a_dashboard_shows_is_there(events: list[Event]) -> None:
    assert {event.tool_name for event in events} == {None, *TOOLS, *TITLES}
    assert len(TOOLS) == len(RISK_MODES) == 3
    types = Counter(event.event_type for event in events)
    assert types.keys() == OFTEN | RARE
    assert min(types[name] for name in OFTEN) > COUNT / 200
    assert min(types[name] for name in RARE) > COUNT / 2_000
    assert len({event.action for event in events}) > 10
    assert {event.demo_mode for event in events} == {True, False}


def test_risk_modes_change_from_one_to_another(sessions: dict[str, list[Event]]) -> None:
    modes = set()
    for session in sessions.values():
        changes = [json.loads(event.properties or "") for event in session if event.event_type == "risk_mode_changed"]
        assert all(change.keys() > {"risk_mode", "previous_mode"} for change in changes)
        assert all(change["risk_mode"] != change["previous_mode"] for change in changes)
        assert all(before["risk_mode"] == after["previous_mode"] for before, after in pairwise(changes))
        modes |= {change["risk_mode"] for change in changes}
    assert modes == set(RISK_MODES)


def test_sessions_are_those_of_a_browser(sessions: dict[str, list[Event]]) -> None:
    for name, session in sessions.items():
        begun = re.fullmatch(r"session_(\d{13})_[0-9a-z]{9}", name)
        assert begun
        assert int(begun[1]) == session[0].timestamp.timestamp() * 1000
        gaps = [after.timestamp - before.timestamp for before, after in pairwise(session)]
        assert all(timedelta(0) < gap < 30 * MINUTE for gap in gaps)
    assert 5 < COUNT / len(sessions) < 15
    lengths = sorted(session[-1].timestamp - session[0].timestamp for session in sessions.values())
    assert 2 * MINUTE < lengths[len(lengths) // 2] < 15 * MINUTE


def test_some_visitors_return_and_some_sign_up(sessions: dict[str, list[Event]]) -> None:
    visits = Counter(session[-1].user_id for session in sessions.values())
    anonymous = visits.pop(None)
    assert 0.2 < anonymous / len(sessions) < 0.8
    assert sum(count > 1 for count in visits.values()) > len(visits) / 4
    signed_up = Counter(event.user_id for session in sessions.values() for event in session if is_sign_up(event))
    assert max(signed_up.values()) == 1
    assert len(signed_up) > len(visits) / 2
    for session in sessions.values():
        # A session has its user from the start, or from its sign-up on.
        users = [user for user, _ in groupby(session, key=lambda event: event.user_id)]
        assert len(users) == 1 or (users[0] is None and len(users) == 2)
        assert len(users) == 1 or is_sign_up(next(event for event in session if event.user_id))


def test_some_come_late_by_hours_or_days(sent: list[Event]) -> None:
    delays = list(least_delays(sent))
    late = sum(delay > 50 * MINUTE for delay in delays) / COUNT
    assert 0.01 < late < 0.06
    assert sum(delay > 20 * HOUR for delay in delays) > COUNT / 1000
    # All others arrive in order; a repeat arrives within a minute.
    assert sum(delay > MINUTE for delay in delays) < COUNT * 0.06


def least_delays(sent: list[Event]) -> Iterator[timedelta]:
    """Give for each distinct event a lower bound of its delay: how far it is behind the newest before it."""
    newest = sent[0].timestamp
    for event in dict.fromkeys(sent):
        newest = max(newest, event.timestamp)
        yield newest - event.timestamp


def test_some_are_sent_twice(sent: list[Event]) -> None:
    times = Counter(sent)
    assert 0.005 < sum(count > 1 for count in times.values()) / COUNT < 0.02
    assert max(times.values()) == 2
