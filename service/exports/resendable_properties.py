"""Properties as PostgreSQL writes them, made so that they can be sent again."""

from __future__ import annotations

import re

from service.ingest.event import MAX_PROPERTIES_BYTES
from service.ingest.storable_properties import MAX_EXPONENT, MAX_NUMBER_LENGTH

_TOO_LONG = re.compile(rf"[0-9.]{{{MAX_NUMBER_LENGTH},}}")
# Strings are looked over whole; what may be shorter are the blanks between, and numbers.
_PARTS = re.compile(r'("(?:[^"\\]|\\.)*")| |(-?[0-9][0-9.]*)')


def sendable(text: str) -> str:
    """Return a jsonb's text as an event may have it: the same jsonb comes of it.

    jsonb puts blanks between and writes every digit out, 301 of them for 1e300. Where that is more than an event may
    have, blanks are left out, and numbers are as short as can be, and so no longer than they were sent.
    """
    if len(text.encode()) <= MAX_PROPERTIES_BYTES and not _TOO_LONG.search(text):
        return text
    return _PARTS.sub(_shortened, text)


def _shortened(found: re.Match[str]) -> str:
    string, number = found.groups()
    if number is None:
        return string or ""
    # By texts: Decimal takes several times as long for 301 digits, and an event may have thousands of such numbers.
    whole, _, fraction = number.lstrip("-").partition(".")
    exponent = -len(fraction)
    digits = (whole + fraction).lstrip("0") or "0"
    if exponent == 0:
        # Zeros at the end of a whole number; those of a fraction are kept by jsonb, which knows how many were sent.
        exponent = len(digits) - len(digits.rstrip("0"))
        digits = digits.rstrip("0") or "0"
    if (places := -MAX_EXPONENT - exponent) > 0:  # no smaller exponent is taken
        digits, exponent = digits.rjust(places + 1, "0"), -MAX_EXPONENT
        digits = f"{digits[:-places]}.{digits[-places:]}"
    sign = "-" if number.startswith("-") else ""
    return min(number, f"{sign}{digits}e{exponent}", key=len)
