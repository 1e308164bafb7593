"""What the benchmarks' guard finds too low."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.rows import EVENTS_PER_SECOND, Row, Spread, fallen, least_ratio, risen


def a_row(ratio: float) -> Row:
    return Row("append", EVENTS_PER_SECOND, Spread((ratio,)), "copy", Spread((1.0,)), least_ratio(0.5))


@pytest.mark.parametrize(
    ("first", "again", "low"),
    [(0.2, 0.2, True), (0.2, 0.4, False), (0.4, 0.2, False), (0.4, 0.4, False)],
)
def test_a_ratio_is_too_low_when_both_measurements_are(first: float, again: float, low: bool) -> None:
    assert (fallen(risen([a_row(first)], [a_row(again)])) != []) == low


def test_what_is_not_counted_the_second_time_is_not_counted() -> None:
    failed = replace(a_row(0.4), not_counted="verify failed")
    assert risen([a_row(0.2), a_row(0.2)], [failed]) == [failed]
