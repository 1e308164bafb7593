"""Hours, and ranges in whole quarters of an hour, in query strings; and the form of times in answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.questions.parameters import SHOWN, invalid, whole

# Before every event.
FIRST = datetime.min.replace(tzinfo=UTC)
# The start of a range of everything. No parameter can name it, because it is no quarter of an hour.
EVERYTHING = FIRST + timedelta(microseconds=1)
HOUR = timedelta(hours=1)
# The shortest time that rollups tell apart. Days begin at whole quarters in every time zone of today.
QUARTER = timedelta(minutes=15)
# A leap year.
MOST_HOURS = 8_784


def hour(name: str, text: str) -> datetime:
    """Return the whole hour of an ISO-8601 text, in UTC, which is also the default offset. Raises InvalidParameter."""
    moment = _moment(name, text, "an hour")
    if moment != hour_start(moment):
        raise invalid(name, f"must be a whole hour, not {text[:SHOWN]!r}")
    return moment


def quarter(name: str, text: str) -> datetime:
    """Return the whole quarter of an hour of an ISO-8601 text, as `hour` does. Raises InvalidParameter."""
    moment = _moment(name, text, "a time")
    if (moment - hour_start(moment)) % QUARTER:
        raise invalid(name, f"must be a whole quarter of an hour, not {text[:SHOWN]!r}")
    return moment


def _moment(name: str, text: str, what: str) -> datetime:
    try:
        # An unescaped `+` of an offset arrives as a space in a query string.
        moment = datetime.fromisoformat(text.replace(" ", "+") if text[-6:-5] == " " else text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        moment + HOUR  # raises OverflowError when the calendar ends within the hour
    except (ValueError, OverflowError) as error:
        raise invalid(name, f"must be {what} such as 2025-10-18T01:00:00Z, not {text[:SHOWN]!r}") from error
    return moment


@dataclass(frozen=True, slots=True)
class HourRange:
    """A range [since, until) in whole quarters of an hour of UTC, and its length in hours.

    until: None for a range with an open end, up to the newest event, which may be ahead of now.
    """

    since: datetime
    until: datetime | None
    hours: float


def hour_range(given: Mapping[str, str], default_hours: int, now: datetime) -> HourRange:
    """Return the range of the parameters `hours`, or `from` and `to`. Raises InvalidParameter.

    With `hours` the range has the hours that start at or after that many hours ago, and an open end.
    """
    if "from" not in given and "to" not in given:
        hours = whole(given, "hours", default_hours, MOST_HOURS)
        return HourRange(_hour_at_or_after(now - hours * HOUR), None, hours)
    if "hours" in given:
        raise invalid("hours", "cannot be given together with from or to")
    for name in ("from", "to"):
        if name not in given:
            raise invalid(name, "must be given: a range needs both from and to")
    since, until = quarter("from", given["from"]), quarter("to", given["to"])
    if not QUARTER <= until - since <= MOST_HOURS * HOUR:
        raise invalid("to", f"must be a quarter of an hour to {MOST_HOURS} hours after from")
    whole_hours, rest = divmod(until - since, HOUR)
    return HourRange(since, until, whole_hours + rest / HOUR if rest else whole_hours)


def closed_range(given: Mapping[str, str], default_hours: int, now: datetime) -> tuple[datetime, datetime]:
    """Return [since, until) of `hour_range`. An open range ends with the current hour. Raises InvalidParameter."""
    asked = hour_range(given, default_hours, now)
    return asked.since, asked.until or hour_start(now) + HOUR


def hour_start(moment: datetime) -> datetime:
    """Return the start of the hour of a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


def quarter_start(moment: datetime) -> datetime:
    """Return the start of the quarter of an hour of a moment."""
    return moment - (moment - hour_start(moment)) % QUARTER


def quarter_at_or_after(moment: datetime) -> datetime:
    """Return the first start of a quarter of an hour that is not before a moment."""
    start = quarter_start(moment)
    return start if start == moment else start + QUARTER


def touched_hours(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Return the range of whole hours that holds [since, until)."""
    return hour_start(since), _hour_at_or_after(until)


def _hour_at_or_after(moment: datetime) -> datetime:
    start = hour_start(moment)
    return start if start == moment else start + HOUR


def time_text(moment: datetime) -> str:
    """Return a time in the form of answers: UTC, with milliseconds, or with microseconds when it has them."""
    moment = moment.astimezone(UTC)
    digits = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"
