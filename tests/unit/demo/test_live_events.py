"""The events that come while a demo runs: they go on where its history ends, at the same pace."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest

from service.demo.events import AHEAD, DemoEvents, live_events
from service.demo.pace import DAY, Pace
from service.ingest.decoding import decode_event
from service.ingest.event import Event
from tests.support.sent import as_sent

MINUTE = timedelta(minutes=1)
COUNT = 100_000
END = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)
VISITORS = 4_000
NIGHT = END.replace(hour=3)


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def live(start: datetime, length: timedelta, count: int = COUNT) -> list[tuple[datetime, Event]]:
    """Return what is sent within a time from `start` on, which is the clock of a demo that runs."""
    found: list[tuple[datetime, Event]] = []
    for due, event in live_events(Pace(count, END), start, VISITORS):
        if due >= start + length:
            break
        found.append((due, event))
    return found


@pytest.fixture(scope="module")
def week() -> Counter[datetime]:
    """Count the live events of each hour of a week."""
    events = {event for _, event in live(END, 7 * DAY)}
    return Counter(hour_of(event.timestamp) for event in events)


def test_an_hour_has_as_many_events_as_in_the_history(week: Counter[datetime]) -> None:
    """The history is what a demo that begins a week later would have made of the same hours."""
    later = END + 7 * DAY
    made = Counter(hour_of(event.timestamp) for event in set(DemoEvents(COUNT, later)))
    hours = [hour for hour in sorted(week) if hour_of(END) < hour < hour_of(later)]
    assert len(hours) == 167
    # Few sessions begin at night, so that hours differ by chance; parts of a day do not.
    for first in range(0, 162, 6):
        ours, theirs = (sum(counted[hour] for hour in hours[first : first + 6]) for counted in (week, made))
        assert 0.6 < ours / theirs < 1.6, hours[first]
    for first in range(0, 144, 24):
        ours, theirs = (sum(counted[hour] for hour in hours[first : first + 24]) for counted in (week, made))
        assert 0.75 < ours / theirs < 1.3, hours[first]


def test_the_pace_is_that_of_the_hour() -> None:
    pace = Pace(COUNT, END)
    assert sum(span.events for span in pace.past()) == COUNT
    for span in islice(pace.live(END), 48):
        assert abs(span.events - pace.expected(span.start, span.end)) <= 1
    assert pace.an_hour(END) > 5 * pace.an_hour(NIGHT)


@pytest.mark.parametrize(("count", "start"), [(COUNT, END), (COUNT, NIGHT), (720, END), (720, NIGHT), (1, NIGHT)])
def test_something_is_seen_in_the_first_minutes(count: int, start: datetime) -> None:
    assert len(live(start, MINUTE, count)) >= 1
    assert len(live(start, 10 * MINUTE, count)) >= 3


def test_a_small_demo_stays_small() -> None:
    """What comes at once is ahead of its hour, and not in addition to it."""
    day = {event for _, event in live(END, DAY, 720)}
    expected = sum(span.events for span in islice(Pace(720, END).live(END), 24))
    assert AHEAD <= len(day) <= expected + AHEAD


def test_they_come_in_order_and_each_is_taken() -> None:
    some = list(islice(live_events(Pace(COUNT, END), END, VISITORS), 2_000))
    assert some == list(islice(live_events(Pace(COUNT, END), END, VISITORS), 2_000))
    assert some[0][0] < END + MINUTE
    assert all(before[0] <= after[0] for before, after in pairwise(some))
    assert all(END <= event.timestamp <= due for due, event in some)
    assert all(decode_event(as_sent(event)) == event for _, event in some[::20])


def test_the_story_goes_on_with_earlier_visitors_and_new_ones() -> None:
    before = DemoEvents(10_000, END)
    known = {event.user_id for event in before}
    events = [event for _, event in islice(live_events(Pace(COUNT, END), END, before.visitors), 1_000)]
    assert {event.event_type for event in events} >= {"page_viewed", "page_left", "tool_used", "signed_up"}
    users = {event.user_id for event in events}
    assert len(users & known) > 5
    assert len(users - known) > 5
    signed_up = [event.user_id for event in dict.fromkeys(events) if event.event_type == "signed_up"]
    assert len(signed_up) == len(set(signed_up) - known) > 5, "nobody signs up twice"
    sessions = {event.session_id for event in events}
    begun = {session for session in sessions if int(session.split("_")[1]) < END.timestamp() * 1_000}
    assert begun, "some sessions are under way at the start"
    assert len(sessions - begun) > 10
