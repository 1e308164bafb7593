"""Comparisons of numbers with a value of any number of digits. They are as exact as PostgreSQL's numerics."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from duckdb import CaseExpression, Expression

from service.archive.json_text import call, constant, either

# Of numbers and of expressions.
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}
# Numbers of whole columns and of texts without long numbers are smaller.
_WHOLE = Decimal(10) ** 15
# More digits than a number has before its point, because it is a double.
_MOST_DIGITS = 400


def compare(found: Expression, operator: str, value: object) -> Expression:
    """Return whether what was found compares with a value of its type."""
    passes: Expression = COMPARISONS[operator](found, constant(value))
    return passes


def compare_short(double: Expression, operator: str, value: Decimal) -> Expression:
    """Return whether a number of at most 15 digits compares with a value. `double`: the number as a double.

    Such numbers have different doubles, so only the number with the double of the value needs a decision, made here.
    """
    nearest = float(value)
    # The only number of at most 15 digits with this double, if there is one.
    same = Decimal(f"{nearest:.15g}")
    if operator == "=":
        return compare(double, "=", nearest) if same == value else constant(False)
    passes = COMPARISONS[operator](same, value)
    return compare(double, operator[0] + ("=" if passes else ""), nearest)


def compare_whole(whole: Expression, operator: str, value: Decimal) -> Expression:
    """Return whether a BIGINT of at most 15 digits compares with a value."""
    if operator == "=":
        is_whole = value == value.to_integral_value() and value.copy_abs() < _WHOLE
        return compare(whole, "=", int(value)) if is_whole else constant(False)
    rounding = ROUND_CEILING if operator in ("<", ">=") else ROUND_FLOOR
    near = max(-_WHOLE, min(_WHOLE, value)).to_integral_value(rounding)
    return compare(whole, operator, int(near))


def compare_digits(digits: Expression, operator: str, value: Decimal) -> Expression:
    """Return whether a number, written out with all its digits, compares with a value."""
    return compare(_order(digits, value), operator, 0)


def _order(digits: Expression, value: Decimal) -> Expression:
    """Return -1, 0 or 1: whether a number is less than a value, equal or greater."""
    negative = call("starts_with", digits, constant("-"))
    size, other = _sortable(call("ltrim", digits, constant("-"))), constant(_sortable_value(value.copy_abs()))
    sign = -1 if value < 0 else 1
    same_sign = CaseExpression(size == other, constant(0)).when(size < other, constant(-sign)).otherwise(constant(sign))
    return either(negative == constant(value < 0), same_sign, constant(-1 if value >= 0 else 1))


def _sortable(digits: Expression) -> Expression:
    """Return text that sorts as numbers without a sign do; equal numbers have equal text."""
    point = call("strpos", digits, constant("."))
    whole = either(point == constant(0), digits, call("left", digits, point - constant(1)))
    fraction = either(point == constant(0), constant(""), call("substring", digits, point + constant(1)))
    padded = call("lpad", whole, constant(_MOST_DIGITS), constant("0"))
    return call("concat", padded, constant("."), call("rtrim", fraction, constant("0")))


def _sortable_value(value: Decimal) -> str:
    whole, _, fraction = f"{value:f}".partition(".")
    return f"{whole.zfill(_MOST_DIGITS)}.{fraction.rstrip('0')}"
