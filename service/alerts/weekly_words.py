"""Numbers, days and proofs of a weekly report in words. English, whatever the locale of the machine."""

from __future__ import annotations

from datetime import date, timedelta

from service.alerts.weekly import Week
from service.console import counted
from service.ingest.refusals import shown
from sql.hourly import FAILED, OPEN

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNKNOWN = "\N{EN DASH}"


def days_text(week: Week) -> str:
    """Return from which day to which a week goes."""
    last = week.monday + timedelta(days=6)
    return f"{_day(week.monday)} to {_day(last)} {last.year}"


def weekday(day: date) -> str:
    """Return a day, such as `Mon 23 Nov`."""
    return f"{WEEKDAYS[day.weekday()]} {_day(day)}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def number(value: float | None) -> str:
    """Return a number with separators, a dash when it is unknown."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def change(value: float | None, before: float | None) -> str:
    """Return a change in percent, a dash when there is nothing to compare with."""
    if value is None or not before:
        return UNKNOWN
    percent = round(100 * (value - before) / before)
    return f"{percent:+,d} %" if percent else "0 %"


def share(events: int, largest: int, width: int) -> int:
    """Return how much of a width a bar takes: nothing for nothing, else one at least."""
    return -(-events * width // largest) if largest else 0


def key_text(key: str) -> str:
    """Return a key, which anyone may have sent, as one printable line of bounded length."""
    return shown(key)


def proofs_text(week: Week) -> str:
    """Return what all proofs of the week say together, worst first."""
    total = sum(week.proofs.values())
    wrong = [f"{counted(week.proofs[state], 'hour')} {state}" for state in FAILED if week.proofs[state]]
    if wrong:
        return f"Proofs: {', '.join(wrong)}; `make verify` names them."
    if waiting := week.proofs[OPEN]:
        return f"Proofs: {total - waiting:,} of {counted(total, 'hour')} verified, {waiting:,} waiting."
    if not total:
        return "Proofs: no hour had events."
    return f"Proofs: all {counted(total, 'hour')} verified." if total > 1 else "Proofs: the only hour is verified."
