"""Rewrites properties from PostgreSQL so that they can be sent again as an event."""

from __future__ import annotations

import re

from service.ingest.event import MAX_PROPERTIES_BYTES
from service.ingest.storable_properties import MAX_EXPONENT, MAX_NUMBER_LENGTH

_TOO_LONG = re.compile(rf"[0-9.]{{{MAX_NUMBER_LENGTH},}}")
# Strings stay as they are. Blanks between them go, and numbers become shorter.
_PARTS = re.compile(r'("(?:[^"\\]|\\.)*")| |(-?[0-9][0-9.]*)')


def sendable(text: str) -> str:
    """Return the text of a jsonb within the limits of an event. PostgreSQL reads the same jsonb from it.

    PostgreSQL adds blanks and writes out every digit, 301 of them for 1e300. A text over the limits loses its blanks,
    and its numbers become as short as possible. So it is never longer than the text that the sender wrote.
    """
    if len(text.encode()) <= MAX_PROPERTIES_BYTES and not _TOO_LONG.search(text):
        return text
    return _PARTS.sub(_shortened, text)


def _shortened(found: re.Match[str]) -> str:
    string, number = found.groups()
    if number is None:
        return string or ""
    # Works on text, because Decimal takes several times as long and an event may have thousands of such numbers.
    whole, _, fraction = number.lstrip("-").partition(".")
    exponent = -len(fraction)
    digits = (whole + fraction).lstrip("0") or "0"
    if exponent == 0:
        # Drop trailing zeros of whole numbers only, because jsonb keeps the zeros of a fraction as sent.
        exponent = len(digits) - len(digits.rstrip("0"))
        digits = digits.rstrip("0") or "0"
    if (places := -MAX_EXPONENT - exponent) > 0:  # events may not have a smaller exponent
        digits, exponent = digits.rjust(places + 1, "0"), -MAX_EXPONENT
        digits = f"{digits[:-places]}.{digits[-places:]}"
    sign = "-" if number.startswith("-") else ""
    return min(number, f"{sign}{digits}e{exponent}", key=len)
