"""Comparisons in DuckDB equal those of decimals, for values with any number of digits."""

from __future__ import annotations

from decimal import Decimal

import duckdb
from duckdb import ConstantExpression, Expression
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.archive.exact import COMPARISONS, compare_digits, compare_short, compare_whole

CONNECTION = duckdb.connect()

operators = st.sampled_from(sorted(COMPARISONS))
short = st.from_regex(r"-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?", fullmatch=True).map(Decimal)
whole = st.integers(-(10**15) + 1, 10**15 - 1)
digits = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?", fullmatch=True).map(Decimal)
# Close to a number, so that often only its last digits decide.
near = st.sampled_from(
    [Decimal(0), *(sign * Decimal(10) ** -places for sign in (1, -1) for places in (1, 14, 17, 30, 400))]
)


def answer(expression: Expression) -> bool:
    (row,) = CONNECTION.values([0]).select(expression).fetchall()
    return bool(row[0])


def written(number: Decimal) -> str:
    """Return a number as PostgreSQL writes it; it has no negative zero."""
    return f"{number.copy_abs() if number == 0 else number:f}"


@settings(deadline=None)
@given(short, near | digits, operators)
@example(Decimal("0.1"), Decimal("1e-20"), "<")
def test_numbers_of_few_digits(number: Decimal, apart: Decimal, operator: str) -> None:
    for value in (number + apart, apart):
        found = answer(compare_short(ConstantExpression(float(number)), operator, value))
        assert found == COMPARISONS[operator](number, value), (number, operator, value)


@settings(deadline=None)
@given(whole, near | digits, operators)
def test_whole_numbers(number: int, apart: Decimal, operator: str) -> None:
    for value in (number + apart, apart):
        found = answer(compare_whole(ConstantExpression(number), operator, value))
        assert found == COMPARISONS[operator](Decimal(number), value), (number, operator, value)


@settings(deadline=None)
@given(digits, near | digits, operators)
@example(Decimal(f"1.{'0' * 40}1"), Decimal(f"1.{'0' * 40}2"), "<")
@example(Decimal(f"-1.{'0' * 40}1"), Decimal(f"-1.{'0' * 40}2"), ">")
def test_numbers_of_many_digits(number: Decimal, apart: Decimal, operator: str) -> None:
    for value in (number + apart, apart):
        found = answer(compare_digits(ConstantExpression(written(number)), operator, value))
        assert found == COMPARISONS[operator](number, value), (number, operator, value)
