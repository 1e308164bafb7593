"""Conditions as predicates of PostgreSQL's jsonpath, with their values as its variables.

service/archive/conditions.py says the same in DuckDB's words; tests/property/archive/test_answers.py compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from service.questions.conditions import (
    ENDS,
    NOT,
    ORDERINGS,
    PROPERTIES,
    STARTS,
    UNARY,
    Clause,
    Condition,
    Conditions,
    Value,
    leaves,
)
from service.questions.patterns import pattern

# The variable of jsonpath that holds the fields of an event.
EVENT = "$event"
_numbers = msgspec.json.Encoder(decimal_format="number")


class Predicate(NamedTuple):
    """Conditions as jsonpath on fields, jsonpath on properties, and the values as JSON."""

    of_fields: str | None
    of_properties: str | None
    values: str | None


def predicate(conditions: Conditions) -> Predicate:
    """Return the predicate that holds when all conditions hold.

    A group that reads both fields and properties is among those on properties. It reads fields from the variable
    `event`, which whoever evaluates it adds to the values.
    """
    values: dict[str, Value] = {}
    of_fields, of_properties = [], []
    for clause in conditions:
        heads = {condition.path[0] == PROPERTIES for condition in leaves([clause])}
        if heads == {False}:
            of_fields.append(_clause(clause, values, "$", negated=False))
        else:
            of_properties.append(_clause(clause, values, EVENT, negated=False))
    return Predicate(_all(of_fields), _all(of_properties), _numbers.encode(values).decode() if conditions else None)


def _all(expressions: Sequence[str]) -> str | None:
    return " && ".join(f"({expression})" for expression in expressions) or None


def _clause(clause: Clause, values: dict[str, Value], fields: str, *, negated: bool) -> str:
    """Return the expression of a clause. fields: what holds the fields of an event. negated: whether it must not pass.

    A negation goes down to the conditions, so that each expression stands once.
    """
    if isinstance(clause, Condition):
        return _negated(clause, values, fields) if negated else _expression(clause, values, fields)
    negated ^= clause.kind == NOT
    parts = [
        _joined([_clause(each, values, fields, negated=negated) for each in part], any_of=negated)
        for part in clause.parts
    ]
    return _joined(parts, any_of=not negated)


def _joined(expressions: Sequence[str], *, any_of: bool) -> str:
    return (" || " if any_of else " && ").join(f"({expression})" for expression in expressions)


_CONTRARIES = {"exists": "missing", "missing": "exists", "=": "!=", "!=": "="}


def _negated(condition: Condition, values: dict[str, Value], fields: str) -> str:
    if contrary := _CONTRARIES.get(condition.operator):
        return _expression(replace(condition, operator=contrary), values, fields)
    return _not_surely(_expression(condition, values, fields))


def _not_surely(expression: str) -> str:
    """Return whether an expression does not hold. A comparison of different types is unknown: it does not."""
    return f"!({expression}) || ({expression}) is unknown"


def _expression(condition: Condition, values: dict[str, Value], fields: str) -> str:
    names = condition.path[1:] if condition.path[0] == PROPERTIES else condition.path
    path = ("$" if condition.path[0] == PROPERTIES else fields) + "".join(f".{json.dumps(name)}" for name in names)
    operator = condition.operator
    if operator in UNARY:
        there = f"exists({path} ? (@ != null))"
        return there if operator == "exists" else f"!{there}"
    passes = " || ".join(_test(path, condition, value, values) for value in condition.values)
    return _not_surely(passes) if operator == "!=" else passes


def _test(path: str, condition: Condition, value: Value, values: dict[str, Value]) -> str:
    operator = condition.operator if condition.operator not in ("!=", "in") else "="
    is_pattern = operator == ENDS or (condition.ignoring_case and isinstance(value, str))
    if is_pattern:
        # jsonpath takes no variable as a pattern.
        return f"{path} like_regex {json.dumps(pattern(operator, str(value), ignoring_case=condition.ignoring_case))}"
    if operator == "contains":
        # The flag `q` makes the pattern plain text, not an expression.
        return f'{path} like_regex {json.dumps(str(value))} flag "q"'
    name = f"v{len(values)}"
    values[name] = value
    return f"{path} {operator if operator in (*ORDERINGS, STARTS) else '=='} ${name}"
