"""When the weekly report is due, and what its text and its HTML say."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.alerts.messages import About
from service.alerts.weekly import TOTALS, Week, due_monday
from service.alerts.weekly_text import report
from service.alerts.weekly_words import UNKNOWN, change, number
from tests.support.sent_events import examples

ABOUT = About("monday", "blog", "weekly report")
MONDAY = date(2026, 11, 23)
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Apia")
HOSTILE = "</td><script>alert(1)</script>\u202e\n" + "x" * 200
WEEK = Week(
    "blog",
    MONDAY - timedelta(weeks=1),
    "Europe/Berlin",
    {"events": 1_234, "sessions": 100, "visitors": None, "tool_uses": 0},
    {"events": 1_000, "sessions": 110, "visitors": 5, "tool_uses": 0},
    [(MONDAY - timedelta(days=7 - day), day * 100) for day in range(7)],
    {"event_types": [("page_viewed", 900), (HOSTILE, 1)], "tool_usage": []},
    Counter(verified=160, sealed=8),
)


@pytest.mark.parametrize("zone", ZONES)
def test_a_report_is_due_on_monday_morning_of_the_site(zone: str) -> None:
    morning = datetime(2026, 11, 23, 7, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    young = morning - timedelta(days=30)
    for now, reported, due in (
        (morning - timedelta(seconds=1), MONDAY - timedelta(weeks=1), None),
        (morning, MONDAY - timedelta(weeks=1), MONDAY),
        (morning, None, MONDAY),
        (morning, MONDAY, None),
        (morning + timedelta(days=6), MONDAY - timedelta(weeks=1), MONDAY),  # the service was off for days
        (morning + timedelta(days=6), MONDAY, None),
    ):
        assert due_monday(young, reported, now, ZoneInfo(zone)) == due
    assert due_monday(morning, None, morning + timedelta(days=1), ZoneInfo(zone)) is None  # a new rule waits


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
@examples(20)
def test_there_is_one_report_a_week_whatever_the_clocks_do(began: datetime, zone: str) -> None:
    """The rule is looked at every three hours for ten weeks, over the changes of the clocks."""
    now = began.replace(tzinfo=UTC)
    reported: date | None = None
    made = []
    for _ in range(10 * 7 * 8):
        if due := due_monday(began.replace(tzinfo=UTC), reported, now, ZoneInfo(zone)):
            made.append(due)
            reported = due
            assert now.astimezone(ZoneInfo(zone)).weekday() == 0
            assert 7 <= now.astimezone(ZoneInfo(zone)).hour <= 10
        now += timedelta(hours=3)
    assert [later - earlier for earlier, later in pairwise(made)] == [timedelta(weeks=1)] * (len(made) - 1)
    assert len(made) >= 9


def test_the_text_says_all() -> None:
    message = report(ABOUT, WEEK, datetime(2026, 11, 23, 6, tzinfo=UTC))
    assert message.subject == "[hourledger] blog: 1,234 events, 16 Nov to 22 Nov 2026"
    lines = message.text.splitlines()
    assert lines[0] == "blog, 16 Nov to 22 Nov 2026 (Europe/Berlin)"
    assert lines[3].split() == ["Events", "1,234", "1,000", "+23", "%"]
    assert lines[4].split() == ["Sessions", "100", "110", "-9", "%"]
    assert lines[5].split() == ["Visitors", UNKNOWN, "5", UNKNOWN]
    assert "Proofs: all 168 hours verified." in lines
    sunday = next(line for line in lines if "Sun 22 Nov" in line)
    assert sunday.endswith("600  " + "#" * 30)
    assert "Tools" not in lines
    assert max(map(len, lines)) <= 80


def test_the_html_loads_nothing_and_runs_nothing() -> None:
    html = report(ABOUT, replace(WEEK, site="a<b"), datetime(2026, 11, 23, 6, tzinfo=UTC)).html or ""
    assert not re.search(r"<script|<img|<link|url\(|https?:|@import|\son\w+=", html)
    assert "a&lt;b" in html
    assert "prefers-color-scheme: dark" in html
    assert html.count("<table") == html.count("</table>")
    for title in TOTALS.values():
        assert title in html
    assert 'style="width:100%;height' in html
    assert 'style="width:0%;height' in html


def test_a_wrong_hour_and_waiting_ones_are_told() -> None:
    for proofs, told in (
        (
            Counter(verified=3, drifted=1, damaged=2),
            "Proofs: 2 hours damaged, 1 hour drifted; `make verify` names them.",
        ),
        (Counter(verified=3, open=2), "Proofs: 3 of 5 hours verified, 2 waiting."),
        (Counter[str](), "Proofs: no hour had events."),
    ):
        assert told in report(ABOUT, replace(WEEK, proofs=proofs), datetime(2026, 11, 23, 6, tzinfo=UTC)).text


def test_numbers_and_changes() -> None:
    assert [number(value) for value in (None, 0, 1_234_567)] == [UNKNOWN, "0", "1,234,567"]
    pairs = [(10, None), (10, 0), (None, 10), (10, 10), (15, 10), (5, 10), (0, 10), (100_000, 1)]
    told = [UNKNOWN, UNKNOWN, UNKNOWN, "0 %", "+50 %", "-50 %", "-100 %", "+9,999,900 %"]
    assert [change(value, before) for value, before in pairs] == told
