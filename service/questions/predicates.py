"""Conditions as predicates of PostgreSQL's jsonpath, with their values as its variables.

service/archive/conditions.py says the same in DuckDB's words; tests/property/archive/test_answers.py compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from service.questions.conditions import ORDERINGS, PROPERTIES, UNARY, Condition, Path, Value

_numbers = msgspec.json.Encoder(decimal_format="number")


class Predicate(NamedTuple):
    """Conditions as jsonpath on fields, jsonpath on properties, and the values as JSON."""

    of_fields: str | None
    of_properties: str | None
    values: str | None


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
