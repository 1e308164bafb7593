"""What the browser's tests rely on holds at every hour of the week, because the seeded events lead up to now."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.browser.support.funnels import depths
from tests.browser.support.seeded import ACTIONS, PLANS, TOOLS, TYPES, seeded_events
from tests.browser.test_ranges import ZONES
from tests.http.support.site import Json, hour_start

# Some time into an hour. 11 has no common divisor with 168: the hours come from all over the day and the week.
MOMENTS = [datetime(2026, 11, 30, 0, 24, tzinfo=UTC) + timedelta(hours=11 * step) for step in range(31)]
STEPS = (
    lambda event: event["event_type"] == "page_view",
    lambda event: event.get("tool_name") == "search",
    lambda event: event.get("action") == "run",
)


def seeded_for(now: datetime, per_hour: float) -> list[Json]:
    """Return the seeded events with their times as datetimes."""
    events = seeded_events(now, per_hour=per_hour)
    return [event | {"timestamp": datetime.fromisoformat(event["timestamp"])} for event in events]


def since(events: list[Json], now: datetime, hours: int) -> list[Json]:
    return [event for event in events if event["timestamp"] >= now - timedelta(hours=hours)]


def values(events: list[Json], name: str) -> set[str]:
    return {event[name] for event in events if name in event}


def properties(events: list[Json], name: str) -> set[str]:
    return {event["properties"][name] for event in events if name in event.get("properties", {})}


def test_there_is_something_of_each_kind_to_show() -> None:
    for now in MOMENTS:
        events = seeded_for(now, 9.0)
        assert "page_view" in values(since(events, now, 24), "event_type"), now
        week = since(events, now, 168)
        assert values(week, "event_type") == set(TYPES), now
        assert values(week, "tool_name") == set(TOOLS), now
        assert values(week, "action") == set(ACTIONS), now
        assert properties(week, "risk_mode"), now
        assert properties(week, "plan") == set(PLANS), now
        assert len(values(events, "user_id")) > 30, now
        assert "user-7" in values(events, "user_id"), now


def test_a_chosen_day_and_an_hour_to_spoil_have_events() -> None:
    for now in MOMENTS:
        events = seeded_for(now, 9.0)
        for zone in map(ZoneInfo, ZONES):
            chosen = now.astimezone(zone).date() - timedelta(days=3)
            assert any(event["timestamp"].astimezone(zone).date() == chosen for event in events), (now, zone)
        old = [event for event in since(events, now, 167) if event["timestamp"] < now - timedelta(hours=61)]
        hours = Counter(hour_start(event["timestamp"]) for event in old)
        viewed = {hour_start(event["timestamp"]) for event in old if event["event_type"] == "page_view"}
        assert any(hours[hour] >= 4 for hour in viewed), now


@pytest.mark.parametrize("per_hour", [9.0, 5.0])
def test_each_step_of_a_funnel_loses_some(per_hour: float) -> None:
    for now in MOMENTS:
        events = seeded_for(now, per_hour)
        first, second, third = depths(events, now - timedelta(days=30), list(STEPS))
        assert 0 < third < second < first, now
        assert since(events, now, 168), now
