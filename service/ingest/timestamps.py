"""Reads the times that clients send: ISO-8601, with the same result on every version of Python."""

import re
from datetime import UTC, datetime

EXAMPLE = "2025-10-18T01:00:00.000Z"
# datetime.fromisoformat takes more: any character between date and time, week dates, fractions of an hour. Its extras
# differ between versions.
_SHAPE = re.compile(
    r"""(?:\d{4}-\d\d-\d\d|\d{8})
        (?:[Tt ](?:[01]\d|2[0-3])
           (?: :[0-5]\d(?: :[0-5]\d(?:[.,]\d+)? )?
             |  [0-5]\d(?:  [0-5]\d(?:[.,]\d+)? )? )?
           (?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)? )?""",
    re.ASCII | re.VERBOSE,
)
_LEAP_SECOND = re.compile(r"[Tt ]\d\d(:?)\d\d\1 60", re.ASCII | re.VERBOSE)


def parse_time(text: str) -> datetime:
    """Return the moment of an ISO-8601 text, in UTC, cut to the microsecond.

    It takes date and time of day in extended or basic form, with `T`, `t` or a space between. Missing parts are 0, a
    missing offset means UTC. Raises ValueError, whose message says what was expected.
    """
    if not _SHAPE.fullmatch(text):
        if _LEAP_SECOND.search(text):
            raise ValueError("a leap second (:60) cannot be stored; send :59")
        raise ValueError(f"expected an ISO-8601 time such as {EXAMPLE}")
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time that is within the years 1 to 9999 in UTC") from None
