"""What the benchmarks' guard finds too low."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import archive_questions
from bench.rows import EVENTS_PER_SECOND, MILLISECONDS, Row, Spread, fallen, least_ratio, risen
from bench.statements import clickhouse_statement, duckdb_statement


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


@pytest.mark.parametrize(
    ("ours", "peer", "met"), [(100, 500, True), (101, 500, False), (80, 90, True), (101, 600, True)]
)
def test_a_goal_may_be_met_by_a_ratio_or_by_a_small_median(ours: float, peer: float, met: bool) -> None:
    goal = least_ratio(5, or_most=100)
    assert Row("count", MILLISECONDS, Spread((ours,)), "peer", Spread((peer,)), goal).met is met


def test_peers_have_a_statement_for_each_question_about_the_archive() -> None:
    for question in archive_questions.QUESTIONS:
        assert clickhouse_statement(question.statement)
        assert duckdb_statement(question.statement)
