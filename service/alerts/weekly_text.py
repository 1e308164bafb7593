"""The weekly report as a message: plain text, and HTML that mail programs show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from service.alerts.messages import About, Message
from service.alerts.weekly import LISTS, TOTALS, Week
from service.alerts.weekly_html import page_of
from service.alerts.weekly_words import change, days_text, key_text, number, proofs_text, share, weekday
from service.console import counted
from service.questions.hours import time_text

# Columns of the text. A line has 80 characters at most.
BAR = 30
KEY = 50


def report(about: About, week: Week, at: datetime) -> Message:
    """Return the report of a week. at: when it was made."""
    events = week.totals["events"]
    subject = f"[hourledger] {week.site}: {counted(int(events or 0), 'event')}, {days_text(week)}"
    fields = {
        "kind": "weekly_report",
        "rule": about.rule,
        "site": week.site,
        "condition": about.condition,
        "at": time_text(at),
        "monday": week.monday.isoformat(),
        "time_zone": week.time_zone,
        "totals": dict(week.totals),
        "before": None if week.before is None else dict(week.before),
        "days": [{"day": day.isoformat(), "events": events} for day, events in week.days],
        "proofs": dict(week.proofs),
        **{name: [{"key": key, "events": events} for key, events in rows] for name, rows in week.lists.items()},
    }
    return Message(subject, "\n".join(_lines(about, week)) + "\n", fields, page_of(about, week))


def _lines(about: About, week: Week) -> Iterator[str]:
    yield f"{week.site}, {days_text(week)} ({week.time_zone})"
    yield ""
    yield f"{'':12}{'this week':>12}{'week before':>14}{'change':>10}"
    for name, title in TOTALS.items():
        before = week.before[name] if week.before else None
        value = week.totals[name]
        yield f"{title:12}{number(value):>12}{number(before):>14}{change(value, before):>10}"
    yield ""
    yield "Events by day"
    largest = max((events for _, events in week.days), default=0)
    for day, events in week.days:
        yield f"  {weekday(day):12}{number(events):>12}  {'#' * share(events, largest, BAR)}".rstrip()
    for name, title in LISTS.items():
        yield from _list(title, week.lists[name])
    yield ""
    yield proofs_text(week)
    yield ""
    yield f"Rule {about.rule!r}: {about.condition}, on Monday mornings."


def _list(title: str, rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
    for key, events in rows:
        yield f"  {_fitted(key_text(key)):{KEY}}{number(events):>12}"


def _fitted(text: str) -> str:
    return text if len(text) < KEY else f"{text[: KEY - 2]}…"
