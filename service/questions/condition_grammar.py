r"""The one grammar of conditions, such as `tool_name exists and properties.plan = pro`, and its parser.

    where     := condition { "and" condition }
    condition := field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" ) value
               | field "in" "(" value { "," value } ")"
               | field ( "exists" | "missing" )
    field     := event_type | session_id | user_id | tool_name | action | demo_mode | risk_mode
               | "properties" "." name { "." name }
    name      := letters, digits, "_", "-" and "$", or a string
    value     := a string, or a word
    string    := a JSON string, or the same in single quotes, where \' is a single quote
    word      := characters other than blanks, double quotes, commas, parentheses and < > = !;
                 the first is not a single quote

A word such as 10 or true equals both the text and the number or truth value. A string equals only the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from service.questions.conditions import (
    COMPARISONS,
    FIELDS,
    MOST_VALUES,
    OPERATORS,
    ORDERINGS,
    PROPERTIES,
    UNARY,
    Condition,
    Malformed,
    Path,
    Value,
    checked,
)
from service.questions.parameters import SHOWN

MOST_CHARACTERS = 4_000
# Of a path: `properties`, and a name for each level that they may have.
MOST_NAMES = 33
MOST_NUMBER = 1e308
# The longest number: MOST_NUMBER written out, and some decimals.
MOST_DIGITS = 400
# The most decimals that PostgreSQL's numbers have.
MOST_DECIMALS = 16_383
_QUOTES = "\"'"
_STRING = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_PLAIN = re.compile(r"[\w$-]+")
_NAME = rf"(?:{_PLAIN.pattern}|{_STRING})"
_NAMES = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_TOKEN = re.compile(
    rf"""\s*(?:(?P<string>{_STRING})|(?P<sign><=|>=|!=|[=<>(),])"""
    rf"""|(?P<path>{PROPERTIES}(?:\.{_NAME})+(?=[\s=<>!]|$))|(?P<word>[^\s"'(),=<>!][^\s"(),=<>!]*))"""
)
# Rewrites the inside of a string in single quotes into the inside of a JSON string.
_REQUOTED = {"\\'": "'", '"': '\\"'}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a text, none for a blank text. Raises Malformed."""
    if len(text) > MOST_CHARACTERS:
        raise Malformed(f"must be at most {MOST_CHARACTERS} characters long, not {len(text)}")
    try:
        _whole_text(text)
    except ValueError as error:
        raise Malformed("must not hold a NUL character or half a character") from error
    tokens = _Tokens(text)
    found: list[Condition] = []
    while tokens.more():
        if found:
            tokens.expect("and")
        found.append(_condition(tokens))
    return checked(found)


def property_path(text: str) -> Path:
    """Return the names in the path of a property. A text that is not a path is one name. Raises Malformed."""
    return tuple(_names(text)) if _NAMES.fullmatch(text) else (text,)


def field_path(text: str) -> Path | None:
    """Return the path of a field or of a property such as `properties.plan`, else None. Raises Malformed."""
    if text in FIELDS:
        return (text,)
    head, _, rest = text.partition(".")
    if head != PROPERTIES or not _NAMES.fullmatch(rest):
        return None
    names = (PROPERTIES, *_names(rest))
    if len(names) > MOST_NAMES:
        raise Malformed(
            f"must have at most {MOST_NAMES - 1} names after {PROPERTIES}, because properties nest no deeper"
        )
    return names


def path_text(names: Sequence[str]) -> str:
    """Return names as the path that conditions take after `properties.`. Odd names become JSON strings."""
    return ".".join(name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in names)


class _Tokens:
    """Gives the tokens of a text one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._tokens = list(_split(self._text))
        self._place = 0

    def more(self) -> bool:
        return self._place < len(self._tokens)

    def take(self, expected: str) -> tuple[str, str]:
        """Return the kind and the text of the next token. Raises Malformed at the end of the text."""
        if not self.more():
            raise Malformed(f"must have {expected} after {self._text[-SHOWN:]!r}")
        self._place += 1
        return self._tokens[self._place - 1]

    def expect(self, wanted: str) -> None:
        _, text = self.take(wanted)
        if text != wanted:
            raise Malformed(f"must have {wanted} before {text[:SHOWN]!r}")


def _split(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            rest = text[place:].strip()[:SHOWN]
            raise Malformed(
                f"must close the quote of {rest!r}" if rest[0] in _QUOTES else f"cannot be read from {rest!r} on"
            )
        place = found.end()
        yield found.lastgroup, found[found.lastgroup]


def _condition(tokens: _Tokens) -> Condition:
    kind, field = tokens.take("a field")
    path = field_path(field) if kind in ("path", "word") else None
    if path is None:
        known = ", ".join(FIELDS)
        raise Malformed(f"must name one of {known}, or a property such as properties.plan, not {field[:SHOWN]!r}")
    _, operator = tokens.take("an operator")
    if operator in UNARY:
        return Condition(path, operator)
    if operator == "in":
        return Condition(path, operator, tuple(_listed(tokens)))
    if operator not in COMPARISONS:
        raise Malformed(f"must have one of {', '.join(OPERATORS)} after {field[:SHOWN]}, not {operator[:SHOWN]!r}")
    return Condition(path, operator, _compared(operator, _values(*tokens.take("a value"))))


def _compared(operator: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the readings of a value that an operator compares with."""
    if operator in ORDERINGS:
        return values[-1:]  # the number, if the value has that reading
    return values[:1] if operator == "contains" else values


def _listed(tokens: _Tokens) -> Iterator[Value]:
    tokens.expect("(")
    for _ in range(MOST_VALUES):
        yield from _values(*tokens.take("a value"))
        _, sign = tokens.take(", or )")
        if sign == ")":
            return
        if sign != ",":
            raise Malformed(f"must have , or ) before {sign[:SHOWN]!r}")
    raise Malformed(f"must have at most {MOST_VALUES} values after in")


def _values(kind: str, text: str) -> tuple[Value, ...]:
    """Return the readings of a value: its text and, for a word, the number or truth value that it may mean."""
    if kind == "string":
        return (_unquoted(text),)
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


def _names(text: str) -> Iterator[str]:
    """Give the names in a path."""
    for name in re.findall(_NAME, text):
        yield _unquoted(name) if name[0] in _QUOTES else name


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        inner = re.sub(r'\\.|"', lambda found: _REQUOTED.get(found[0], found[0]), inner)
    try:
        return _whole_text(json.loads(f'"{inner}"'))
    except ValueError as error:
        raise Malformed(f"must have a string with the escapes of JSON and without NUL, not {text[:SHOWN]}") from error


def _whole_text(text: str) -> str:
    """Return a text that PostgreSQL can hold. Raises ValueError."""
    text.encode()
    if "\0" in text:
        raise ValueError("NUL")
    return text
