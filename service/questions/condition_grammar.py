"""Conditions as a text, such as `tool_name exists and properties.plan = pro`, and as JSON.

    where     := condition { "and" condition }
    condition := field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" ) value
               | field "in" "(" value { "," value } ")"
               | field ( "exists" | "missing" )
    field     := event_type | session_id | user_id | tool_name | action | demo_mode | risk_mode
               | "properties" "." name { "." name }
    name      := letters, digits, "_", "-" and "$", or a JSON string
    value     := a JSON string, or characters other than blanks, quotes, commas, parentheses and < > = !

An unquoted 10 or true equals the number or truth value as well as the text; a quoted one only the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from service.questions.conditions import (
    COMPARISONS,
    FIELDS,
    MOST_VALUES,
    OPERATORS,
    ORDERINGS,
    PROPERTIES,
    SHOWN,
    UNARY,
    Condition,
    Malformed,
    Path,
    Value,
    checked,
)

MOST_CHARACTERS = 4_000
_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(
    # A string right after a dot belongs to the word: it is a name in a path.
    rf"""\s*(?:(?P<string>{_STRING})|(?P<sign><=|>=|!=|[=<>(),])|(?P<word>(?:(?<=\.){_STRING}|[^\s"(),=<>!])+))"""
)
_PLAIN = re.compile(r"[\w$-]+")
_NAME = rf"{_PLAIN.pattern}|{_STRING}"
_NAMES = re.compile(rf"(?:{_NAME})(?:\.(?:{_NAME}))*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a text, none for a blank one. Raises Malformed."""
    if len(text) > MOST_CHARACTERS:
        raise Malformed(f"must be at most {MOST_CHARACTERS} characters long, not {len(text)}")
    tokens = _Tokens(text)
    found: list[Condition] = []
    while tokens.more():
        if found:
            tokens.expect("and")
        found.append(_condition(tokens))
    return checked(found)


def property_condition(given: Mapping[str, object]) -> Condition:
    """Return a condition from JSON: property (a path with dots, else one name), op, and value. Raises Malformed."""
    name, operator, value = given.get("property"), given.get("op", "="), given.get("value")
    if not isinstance(name, str) or not name or "\0" in name:
        raise Malformed("must name a property")
    path = (PROPERTIES, *property_path(name))
    if operator in UNARY:
        return Condition(path, str(operator))
    if operator == "in":
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES:
            raise Malformed(f"must have a list of 1 to {MOST_VALUES} values for in")
        return Condition(path, "in", tuple(_scalar(item) for item in value))
    if operator not in COMPARISONS:
        raise Malformed(f"must have an op that is one of {', '.join(OPERATORS)}, not {str(operator)[:SHOWN]!r}")
    return Condition(path, str(operator), (_scalar(value),))


def property_path(text: str) -> Path:
    """Return the names of a property: of a path with dots, else one name. Raises Malformed."""
    return tuple(_names(text)) if _NAMES.fullmatch(text) else (text,)


def path_text(names: Sequence[str]) -> str:
    """Return a property as a path that conditions take after `properties.`: odd names are JSON strings."""
    return ".".join(name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in names)


class _Tokens:
    """The tokens of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_split(text.rstrip()))
        self._place = 0

    def more(self) -> bool:
        return self._place < len(self._tokens)

    def take(self, expected: str) -> tuple[str, str]:
        """Return the kind and the text of the next token."""
        if not self.more():
            raise Malformed(f"must not end before {expected}")
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
            raise Malformed(f"cannot be read from {text[place:].strip()[:SHOWN]!r} on")
        place = found.end()
        yield found.lastgroup, found[found.lastgroup]


def _condition(tokens: _Tokens) -> Condition:
    kind, field = tokens.take("a field")
    path = field_path(field) if kind == "word" else None
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
    """Return which of the readings of a value an operator compares with."""
    if operator in ORDERINGS:
        return values[-1:]  # as a number where it is one
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
    """Return the readings of a value: the text, and the number or truth value that it may stand for."""
    if kind == "string":
        return (_unquoted(text),)
    if kind != "word":
        raise Malformed(f"must have a value before {text[:SHOWN]!r}")
    if text in ("true", "false"):
        return text, text == "true"
    if _NUMBER.fullmatch(text) and len(text) <= SHOWN:
        return text, _finite(json.loads(text))
    return (text,)


def field_path(text: str) -> Path | None:
    """Return the path of a field or property, such as `properties.plan`; None for another text. Raises Malformed."""
    if text in FIELDS:
        return (text,)
    head, _, rest = text.partition(".")
    return (PROPERTIES, *_names(rest)) if head == PROPERTIES and _NAMES.fullmatch(rest) else None


def _names(text: str) -> Iterator[str]:
    """Give the names of a path with dots."""
    for name in re.findall(_NAME, text):
        yield _unquoted(name) if name.startswith('"') else name


def _unquoted(text: str) -> str:
    try:
        return _whole_text(json.loads(text))
    except ValueError as error:
        raise Malformed(f"must be a JSON string without NUL, not {text[:SHOWN]}") from error


def _whole_text(text: str) -> str:
    """Return a text that PostgreSQL can hold. Raises ValueError."""
    text.encode()
    if "\0" in text:
        raise ValueError("NUL")
    return text


def _scalar(value: object) -> Value:
    if isinstance(value, str):
        try:
            return _whole_text(value)
        except ValueError as error:
            raise Malformed("must not hold a NUL or half a character") from error
    if isinstance(value, bool | int | float):
        return _finite(value)
    raise Malformed("must have a value that is a text, a number, true or false")


def _finite(value: Value) -> Value:
    if isinstance(value, int | float) and not -1e308 < value < 1e308:
        raise Malformed("must have a number of up to 308 digits")
    return value
