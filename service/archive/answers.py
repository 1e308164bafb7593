"""Answers questions from parts of the log; runs in the process that has DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from service.archive.conversion_questions import Conversions
from service.archive.conversions import conversion_rows
from service.archive.funnels import funnel_rows
from service.archive.json_text import call
from service.archive.list_questions import EventPage, HourCounts, Listed, SessionSeen, UserSeen
from service.archive.lists import hour_rows, page_rows
from service.archive.measure_questions import Measured, Numbers, Visits
from service.archive.numbers import number_rows
from service.archive.path_questions import Paths
from service.archive.paths import path_rows
from service.archive.properties import property_rows
from service.archive.quarantines import columns_read
from service.archive.questions import Asked, Cohorts, Funnel, Properties, Question, Trend
from service.archive.results import Rows, Tables, rows_of, tables
from service.archive.seen import session_rows, user_rows
from service.archive.source import Part, cohort_events, without_session
from service.archive.streams import column
from service.archive.top_keys import top_rows
from service.archive.top_questions import Top
from service.archive.trends import trend_rows
from service.archive.visits import visit_rows

# Every question.
ASKED = Asked | Listed | Top | Measured | Conversions | Paths


def answer(connection: DuckDBPyConnection, parts: Sequence[Part], question: Question) -> Rows:
    """Return the rows that answer a question, as the statement of its kind in sql/archive describes them.

    There is at least one part; it may be empty.
    """
    with tables(connection) as made:
        needed = question.needs()
        read = [
            part
            if part.ordered
            else replace(part, relation=_table(made, part, place, needed | columns_read(part.quarantines)))
            for place, part in enumerate(parts)
        ]
        return _ANSWERS[type(question)](made, read, question)


def _table(made: Tables, part: Part, place: int, needed: set[str]) -> DuckDBPyRelation:
    """Return the needed columns of rows as a table, because rows come from text, which should be read once.

    A session has many rows, so its digest is made once, too.
    """
    rows = part.relation.select(*map(column, sorted(without_session(needed))))
    if not part.is_table:
        rows = made.make(f"rows_{place}", rows)
    if "session" not in needed:
        return rows
    session = call("session_of", column("session_id")).alias("session")
    sessions = rows.select(column("session_id")).distinct().select(column("session_id"), session)
    return made.make(f"with_session_{place}", rows.join(sessions.set_alias("sessions"), "session_id"))


def _cohort_rows(tables: Tables, parts: Sequence[Part], question: Cohorts) -> Rows:
    return rows_of(tables.connection, "cohorts", events=cohort_events(parts, question))


_ANSWERS: dict[type[Question], Callable[[Tables, Sequence[Part], Any], Rows]] = {
    Trend: trend_rows,
    Cohorts: _cohort_rows,
    Funnel: funnel_rows,
    Properties: property_rows,
    HourCounts: hour_rows,
    EventPage: page_rows,
    SessionSeen: session_rows,
    UserSeen: user_rows,
    Top: top_rows,
    Visits: visit_rows,
    Numbers: number_rows,
    Conversions: conversion_rows,
    Paths: path_rows,
}
