"""A column of numbers holds each number exactly, or there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.archive.columns import Source, choose
from sql.archive.duck import connect
from tests.support.sent_events import examples

OTHERS = ("{}", '{{"n": {}}}', '{{"k": "1\\"2", "n": {}, "o": [{{"n": 1.5}}]}}', '{{"n": {}, "z": 12345678901234567}}')
signs = st.sampled_from(["", "-"])
digits = st.text("0123456789", max_size=22)
# What a double prints with few digits, although it is another number: 0.1 and many zeros, and one more digit.
near = st.builds(
    lambda sign, start, zeros, last: f"{sign}{start}{'0' * zeros}{last}",
    signs,
    st.sampled_from(["0.1", "0.", "1.", "3.5", "10", "123.25"]),
    st.integers(13, 40),
    st.sampled_from("0123456789"),
)
long = near.filter(lambda text: len(text.lstrip("-")) > 15)
short = st.builds(lambda sign, whole, part: f"{sign}{whole}.{part or 0}", signs, st.integers(0, 999_999), digits)
short = short.map(lambda text: text[:15])


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give one connection for all examples."""
    with closing(connect(None, "256MB", 1)) as connection:
        yield connection


def kinds(duck: duckdb.DuckDBPyConnection, texts: list[str]) -> dict[str, str]:
    """Return the kind of each column that rows with these properties get."""
    rows = [(place, text, re.search("[0-9.]{16,}", text) is not None) for place, text in enumerate(texts)]
    duck.execute("create or replace table given (position bigint, properties varchar, long_numbers boolean)")
    duck.executemany("insert into given values (?, ?, ?)", rows)
    source = Source(duck.table("given"), duck.table("given"))
    return {column.path[0]: column.kind for column in choose(duck, [source], len(texts), from_texts=True)}


@given(st.lists(st.tuples(st.sampled_from(OTHERS[1:]), long), min_size=1, max_size=5))
@examples(60)
def test_numbers_that_are_all_longer_than_a_double_keeps_get_no_column(
    duck: duckdb.DuckDBPyConnection, given_rows: list[tuple[str, str]]
) -> None:
    assert "n" not in kinds(duck, [shape.format(text) for shape, text in given_rows])


@given(st.lists(st.tuples(st.sampled_from(OTHERS[1:]), long | short), min_size=1, max_size=5))
@examples(60)
def test_a_column_of_numbers_holds_what_is_stored(
    duck: duckdb.DuckDBPyConnection, given_rows: list[tuple[str, str]]
) -> None:
    found = kinds(duck, [shape.format(text) for shape, text in given_rows]).get("n")
    texts = [text for _, text in given_rows]
    assert (found is not None) == all(len(text.lstrip("-")) <= 15 for text in texts)
    if found is not None:
        assert [Decimal(repr(float(text))) for text in texts] == [Decimal(text) for text in texts]


def test_a_long_number_beside_it_costs_a_property_no_column(duck: duckdb.DuckDBPyConnection) -> None:
    """Such as an id in the same event."""
    assert kinds(duck, ['{"id": 12345678901234567890, "n": 1.5}'] * 3) == {"n": "number"}
