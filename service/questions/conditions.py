"""Conditions on an event. service/archive/conditions.py says them in DuckDB's words.

`!=` is the opposite of `=`, so that an event without the field passes. A list passes when one of its elements does.
Null counts as missing. Texts differ by their case, unless a condition ignores it: see patterns.py. `not` passes what
does not surely pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

FIELDS = ("event_type", "session_id", "user_id", "tool_name", "action", "demo_mode", "risk_mode")
PROPERTIES = "properties"
ORDERINGS = ("<", "<=", ">", ">=")
# Operators of texts alone.
STARTS, ENDS = "starts with", "ends with"
TEXTUAL = ("contains", STARTS, ENDS)
COMPARISONS = ("=", "!=", *ORDERINGS, *TEXTUAL)
UNARY = ("exists", "missing")
OPERATORS = (*COMPARISONS, "in", *UNARY)
# Those that can ignore case.
CASELESS = ("=", "!=", *TEXTUAL, "in")
# What a group is: one of its parts passes, or its only part does not.
ANY, NOT = "any", "not"
MOST_CONDITIONS = 20
MOST_VALUES = 100
# The most parentheses, or `not`, inside each other.
MOST_DEPTH = 20

Value = str | int | float | Decimal | bool
Path = tuple[str, ...]


class Malformed(ValueError):
    """The text is not a list of conditions. The message says what was expected and what was there."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. path: a field, or `properties` and names. values: one of them must pass."""

    path: Path
    operator: str
    values: tuple[Value, ...] = ()
    ignoring_case: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions as one. kind: ANY or NOT. parts: each passes when all of it passes; NOT has one."""

    kind: str
    parts: tuple[Conditions, ...]


Clause = Condition | Group
# All of them must pass.
Conditions = tuple[Clause, ...]


def equals(field: str, value: Value) -> Condition:
    """Return the condition that a field has a value."""
    return Condition((field,), "=", (value,))


def leaves(conditions: Sequence[Clause]) -> Iterator[Condition]:
    """Give the conditions in all groups."""
    for clause in conditions:
        if isinstance(clause, Condition):
            yield clause
        else:
            for part in clause.parts:
                yield from leaves(part)


def checked(conditions: Sequence[Clause]) -> Conditions:
    """Return the conditions. Raises Malformed when there are more than MOST_CONDITIONS."""
    if (number := sum(1 for _ in leaves(conditions))) > MOST_CONDITIONS:
        raise Malformed(f"must have at most {MOST_CONDITIONS} conditions, not {number}")
    return tuple(conditions)
