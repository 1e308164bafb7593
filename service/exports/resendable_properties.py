"""Makes properties, as PostgreSQL writes them, fit to be sent again."""

from __future__ import annotations

import re

from service.ingest.event import MAX_PROPERTIES_BYTES
from service.ingest.storable_properties import MAX_EXPONENT, MAX_NUMBER_LENGTH

_TOO_LONG = re.compile(rf"[0-9.]{{{MAX_NUMBER_LENGTH},}}")
# Strings stay whole; only the blanks between and the numbers can become shorter.
_PARTS = re.compile(r'("(?:[^"\\]|\\.)*")| |(-?[0-9][0-9.]*)')


def sendable(text: str) -> str:
    """Return the text of a jsonb within the limits of an event. PostgreSQL reads the same jsonb from it.

    jsonb adds blanks and writes every digit out, 301 of them for 1e300. A text over the limits loses its blanks, and
    its numbers become as short as possible, which is no longer than the sender wrote them.
    """
    if len(text.encode()) <= MAX_PROPERTIES_BYTES and not _TOO_LONG.search(text):
        return text
    return _PARTS.sub(_shortened, text)


def _shortened(found: re.Match[str]) -> str:
    string, number = found.groups()
    if number is None:
        return string or ""
    # As text, because Decimal takes several times as long and an event may have thousands of such numbers.
    whole, _, fraction = number.lstrip("-").partition(".")
    exponent = -len(fraction)
    digits = (whole + fraction).lstrip("0") or "0"
    if exponent == 0:
        # Only zeros of a whole number go: jsonb keeps the zeros at the end of a fraction as they were sent.
        exponent = len(digits) - len(digits.rstrip("0"))
        digits = digits.rstrip("0") or "0"
    if (places := -MAX_EXPONENT - exponent) > 0:  # events take no smaller exponent
        digits, exponent = digits.rjust(places + 1, "0"), -MAX_EXPONENT
        digits = f"{digits[:-places]}.{digits[-places:]}"
    sign = "-" if number.startswith("-") else ""
    return min(number, f"{sign}{digits}e{exponent}", key=len)
