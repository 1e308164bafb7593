"""Conditions on an event. service/archive/conditions.py says them in DuckDB's words.

`!=` is the opposite of `=`, so that an event without the field passes. A list passes when one of its elements does.
Null counts as missing. `contains` is case-sensitive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

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


class Malformed(ValueError):
    """The text is not a list of conditions. The message says what was expected and what was there."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. path: a field, or `properties` and names. values: one of them must pass."""

    path: Path
    operator: str
    values: tuple[Value, ...] = ()


def equals(field: str, value: Value) -> Condition:
    """Return the condition that a field has a value."""
    return Condition((field,), "=", (value,))


def checked(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Return the conditions. Raises Malformed when there are more than MOST_CONDITIONS."""
    if len(conditions) > MOST_CONDITIONS:
        raise Malformed(f"must have at most {MOST_CONDITIONS} conditions, not {len(conditions)}")
    return tuple(conditions)
