"""Conditions on an event, and their translation for PostgreSQL: jsonpath with the values as its variables.

`!=` is the opposite of `=`, so that an event without the field passes. A list passes when one of its elements does.
Null counts as missing. `contains` is case-sensitive.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import msgspec

FIELDS = ("event_type", "session_id", "user_id", "tool_name", "action", "demo_mode", "risk_mode")
PROPERTIES = "properties"
ORDERINGS = ("<", "<=", ">", ">=")
COMPARISONS = ("=", "!=", *ORDERINGS, "contains")
UNARY = ("exists", "missing")
OPERATORS = (*COMPARISONS, "in", *UNARY)
MOST_CONDITIONS = 20
MOST_VALUES = 100

Value = str | int | float | Decimal | bool
Path = tuple[str, ...]

_numbers = msgspec.json.Encoder(decimal_format="number")


class Malformed(ValueError):
    """The text is not a list of conditions. The message says what was expected and what was there."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. path: a field, or `properties` and names. values: one of them must pass."""

    path: Path
    operator: str
    values: tuple[Value, ...] = ()


class Predicate(NamedTuple):
    """Conditions in the form of event_matches: jsonpath on fields, jsonpath on properties, and the values as JSON."""

    of_fields: str | None
    of_properties: str | None
    values: str | None


def equals(field: str, value: Value) -> Condition:
    """Return the condition that a field has a value."""
    return Condition((field,), "=", (value,))


def checked(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Return the conditions. Raises Malformed when there are more than MOST_CONDITIONS."""
    if len(conditions) > MOST_CONDITIONS:
        raise Malformed(f"must have at most {MOST_CONDITIONS} conditions, not {len(conditions)}")
    return tuple(conditions)


def predicate(conditions: Sequence[Condition]) -> Predicate:
    """Return the predicate that holds when all conditions hold."""
    values: dict[str, Value] = {}
    of_fields = [_expression(c, c.path, values) for c in conditions if c.path[0] != PROPERTIES]
    of_properties = [_expression(c, c.path[1:], values) for c in conditions if c.path[0] == PROPERTIES]
    return Predicate(_all(of_fields), _all(of_properties), _numbers.encode(values).decode() if conditions else None)


def _all(expressions: Sequence[str]) -> str | None:
    return " && ".join(f"({expression})" for expression in expressions) or None


def _expression(condition: Condition, names: Path, values: dict[str, Value]) -> str:
    path = "$" + "".join(f".{json.dumps(name)}" for name in names)
    operator = condition.operator
    if operator in UNARY:
        there = f"exists({path} ? (@ != null))"
        return there if operator == "exists" else f"!{there}"
    if operator == "contains":
        # jsonpath takes no variable as a pattern. The flag `q` makes the pattern plain text, not an expression.
        return f'{path} like_regex {json.dumps(str(condition.values[0]))} flag "q"'
    sign = operator if operator in ORDERINGS else "=="
    tests = []
    for value in condition.values:
        name = f"v{len(values)}"
        values[name] = value
        tests.append(f"{path} {sign} ${name}")
    passes = " || ".join(tests)
    # A comparison of different types is unknown. For `!=` that counts as not equal.
    return f"!({passes}) || ({passes}) is unknown" if operator == "!=" else passes
