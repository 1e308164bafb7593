"""The values in conditions: texts, and words that may also mean a number or a truth value."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation

from service.questions.conditions import Malformed, Value
from service.questions.parameters import SHOWN

MOST_NUMBER = 1e308
# The longest number: MOST_NUMBER written out, and some decimals.
MOST_DIGITS = 400
# The most decimals that PostgreSQL's numbers have.
MOST_DECIMALS = 16_383
# Rewrites the inside of a string in single quotes into the inside of a JSON string.
_REQUOTED = {"\\'": "'", '"': '\\"'}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def values_of(kind: str, text: str) -> tuple[Value, ...]:
    """Return the readings of a value: its text and, for a word, the number or truth value that it may mean."""
    if kind == "string":
        return (unquoted(text),)
    if kind == "sign":
        raise Malformed(f"must have a value before {text[:SHOWN]!r}")
    if text in ("true", "false"):
        return text, text == "true"
    if _NUMBER.fullmatch(text) and len(text) <= MOST_DIGITS:
        return text, _number(text)
    return (text,)


def _number(text: str) -> int | float | Decimal:
    """Return a number with all its digits: as a double only when its shortest text has them. Raises Malformed."""
    number: int | Decimal = json.loads(text, parse_float=_decimal)
    if not -MOST_NUMBER < number < MOST_NUMBER:
        raise Malformed(f"must have a number between -1e308 and 1e308, not {text[:SHOWN]}")
    if isinstance(number, int):
        return number
    double = float(number)
    has_all = Decimal(repr(double)) == number or -int(number.as_tuple().exponent) > MOST_DECIMALS
    return double if has_all else number


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # its exponent is beyond a decimal's, and so the number is 0 or infinite
        return Decimal(float(text))


def unquoted(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        inner = re.sub(r'\\.|"', lambda found: _REQUOTED.get(found[0], found[0]), inner)
    try:
        return whole_text(json.loads(f'"{inner}"'))
    except ValueError as error:
        raise Malformed(f"must have a string with the escapes of JSON and without NUL, not {text[:SHOWN]}") from error


def whole_text(text: str) -> str:
    """Return a text that PostgreSQL can hold. Raises ValueError."""
    text.encode()
    if "\0" in text:
        raise ValueError("NUL")
    return text
