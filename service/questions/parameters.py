"""Query strings of reads: every parameter is known by name, checked, and blamed by name when it is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from service.errors import InvalidParameter, UnknownParameter, Unreadable

HOUR = timedelta(hours=1)
MOST_HOURS = 8_760
# Characters of what was sent that an error repeats.
SHOWN = 40


def parse(query: bytes, known: frozenset[str]) -> dict[str, str]:
    """Return the parameters. Raises Invalid for one that is unknown, repeated, not UTF-8, or holds a NUL."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise Unreadable("the query string is not URL-encoded UTF-8") from error
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise UnknownParameter(f"unknown; known are {', '.join(sorted(known))}", name[:SHOWN])
        if name in given:
            raise invalid(name, "must be given once")
        if "\0" in value:
            raise invalid(name, "must not hold a NUL character")
        given[name] = value
    return given


def invalid(name: str, message: str) -> InvalidParameter:
    """Return the error that blames one parameter."""
    return InvalidParameter(f"{name} {message}", name)


def whole(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a whole number from 1 to `most`."""
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise invalid(name, f"must be a whole number from 1 to {most}, not {text[:SHOWN]!r}")
    return int(text)


def switch(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Return 0, 1, false or true as a bool."""
    text = given.get(name, str(int(default))).lower()
    if text not in ("0", "1", "false", "true"):
        raise invalid(name, f"must be 0 or 1, not {text[:SHOWN]!r}")
    return text in ("1", "true")


def choice(given: Mapping[str, str], name: str, known: Collection[str], default: str) -> str:
    """Return one of the known words."""
    text = given.get(name, default)
    if text not in known:
        raise invalid(name, f"must be one of {', '.join(known)}, not {text[:SHOWN]!r}")
    return text


def hour(name: str, text: str) -> datetime:
    """Return a whole hour in UTC from ISO-8601; without an offset it is UTC."""
    try:
        # In a query string an unescaped `+` of an offset arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+") if text[-6:-5] == " " else text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        moment + HOUR  # the hour itself must end before the calendar does
    except (ValueError, OverflowError) as error:
        raise invalid(name, f"must be an hour such as 2025-10-18T01:00:00Z, not {text[:SHOWN]!r}") from error
    if moment != moment.replace(minute=0, second=0, microsecond=0):
        raise invalid(name, f"must be a whole hour, not {text[:SHOWN]!r}")
    return moment


@dataclass(frozen=True, slots=True)
class HourRange:
    """Whole hours [since, until) and how many they are; `until` is None for an open end (events ahead of now count)."""

    since: datetime
    until: datetime | None
    hours: int


def hour_range(given: Mapping[str, str], default_hours: int, now: datetime) -> HourRange:
    """Return the range that `hours`, or `from` and `to`, ask for."""
    if "from" not in given and "to" not in given:
        hours = whole(given, "hours", default_hours, MOST_HOURS)
        return HourRange(_hour_at_or_after(now - hours * HOUR), None, hours)
    if "hours" in given:
        raise invalid("hours", "cannot be given together with from or to")
    for name in ("from", "to"):
        if name not in given:
            raise invalid(name, "must be given: a range needs both from and to")
    since, until = hour("from", given["from"]), hour("to", given["to"])
    hours = (until - since) // HOUR
    if not 1 <= hours <= MOST_HOURS:
        raise invalid("to", f"must be 1 to {MOST_HOURS} hours after from")
    return HourRange(since, until, hours)


def closed_range(given: Mapping[str, str], default_hours: int, now: datetime) -> tuple[datetime, datetime]:
    """Return [since, until) as `hour_range` does; an open end is that of the current hour."""
    asked = hour_range(given, default_hours, now)
    return asked.since, asked.until or hour_start(now) + HOUR


def hour_start(moment: datetime) -> datetime:
    """Return the start of the hour that holds a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _hour_at_or_after(moment: datetime) -> datetime:
    start = hour_start(moment)
    return start if start == moment else start + HOUR


def time_text(moment: datetime) -> str:
    """Return a time as answers write it: UTC, three digits of a second, or six when they are needed."""
    moment = moment.astimezone(UTC)
    digits = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"
