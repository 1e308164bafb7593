"""Refuses JSON that msgspec takes but jsonb cannot store: too deep, with a NUL, or with numbers beyond doubles."""

import math
import re

from service.ingest.json_elements import without_strings

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 64
# A double in 64 characters has a smaller exponent. Without a bound PostgreSQL would write 1e-16383 with 16,383 zeros.
MAX_EXPONENT = 400

# PostgreSQL stores numbers written out: a body of 1e300 would cost it a hundred times what it cost to send.
MAX_WRITTEN_OUT = 16_384

# A quick test: it turns digits and points into 0 and drops signs. Then every text with a number to refuse contains 60
# zeros in a row, or 0e00.
_DIGITS = bytes.maketrans(b"123456789.E", b"0000000000e")
_LONG = b"0" * 60
# A number of at least 64 characters, or with an exponent of more than two digits.
_ODD_NUMBER = re.compile(rb"(?<![0-9.eE+-])-?[0-9](?:[0-9.eE+-]{63,}|[0-9.]*[eE][+-]?0*[1-9][0-9]{2,})")
_EXPONENT = re.compile(rb"[0-9.][eE][+-]?([0-9]+)")
_EXPONENT_TOO_LARGE = re.compile(rb"[eE][+-]?0*(?:40[1-9]|4[1-9][0-9]|[5-9][0-9]{2}|[1-9][0-9]{3,})\b")
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUL = rb"\u0000"


def refuse_unstorable(text: bytes) -> None:
    """Raise ValueError with the reason when JSON is too deep, holds a NUL, or a number that is not a finite double."""
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH:
        _refuse_depth(without_strings(text))
    if _NUL in text and _NUL in text.replace(rb"\\", b"__"):
        raise ValueError("a NUL character cannot be stored")
    digits = text.translate(_DIGITS, b"+-")
    if b"0e00" in digits or _LONG in digits:
        _refuse_numbers(without_strings(text))


def _refuse_depth(bare: bytes) -> None:
    brackets = bare.translate(_SQUARE, _NOT_BRACKETS)
    # Each round takes the innermost pairs away.
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")


def _refuse_numbers(bare: bytes) -> None:
    # Without a loop in Python, because a body may hold a million numbers.
    odd = _ODD_NUMBER.findall(bare)
    if (longest := max(map(len, odd), default=0)) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number may have at most {MAX_NUMBER_LENGTH} characters, this one has {longest}")
    finite = list(map(math.isfinite, map(float, odd)))
    if not all(finite):
        raise ValueError(f"{odd[finite.index(False)].decode()} is not a finite double")
    if found := _EXPONENT_TOO_LARGE.search(b" ".join(odd)):
        raise ValueError(f"{found[0].decode()}: an exponent is at most {MAX_EXPONENT}")
    if (zeros := sum(map(int, _EXPONENT.findall(bare)))) > MAX_WRITTEN_OUT:
        raise ValueError(f"numbers of at most {MAX_WRITTEN_OUT} digits in all, written out, not {zeros}")
