"""Refuses JSON that msgspec takes but jsonb cannot store: too deep, with a NUL, or with numbers beyond doubles."""

import math
import re
from itertools import accumulate

from service.ingest.json_elements import without_strings

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 64
# A double in 64 characters has a smaller exponent. Without a bound PostgreSQL would write 1e-16383 with 16,383 zeros.
MAX_EXPONENT = 400

# A quick test: it turns digits and points into 0 and drops signs. Then every text with a number to refuse contains 60
# zeros in a row, or 0e000.
_DIGITS = bytes.maketrans(b"123456789.E", b"0000000000e")
_LONG = b"0" * 60
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUL = rb"\u0000"


def refuse_unstorable(text: bytes) -> None:
    """Raise ValueError with the reason when JSON is too deep, holds a NUL, or a number that is not a finite double."""
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH:
        _refuse_depth(without_strings(text))
    if _NUL in text and _NUL in text.replace(rb"\\", b"__"):
        raise ValueError("a NUL character cannot be stored")
    digits = text.translate(_DIGITS, b"+-")
    if b"0e000" in digits or _LONG in digits:
        _refuse_numbers(without_strings(text))


def _refuse_depth(bare: bytes) -> None:
    brackets = bare.translate(None, _NOT_BRACKETS)
    if max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets)) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")


def _refuse_numbers(bare: bytes) -> None:
    for number in _NUMBER.findall(bare):
        if len(number) > MAX_NUMBER_LENGTH:
            raise ValueError(f"a number may have at most {MAX_NUMBER_LENGTH} characters, this one has {len(number)}")
        exponent = number.lower().partition(b"e")[2]
        if not math.isfinite(float(number)) or abs(int(exponent or b"0")) > MAX_EXPONENT:
            raise ValueError(f"{number.decode()} is not a finite double")
