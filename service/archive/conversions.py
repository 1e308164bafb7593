"""Answers how many visits reach a goal."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyRelation

from service.archive.conversion_questions import Conversions
from service.archive.divided import keyed
from service.archive.json_text import call
from service.archive.numbers import NO_NUMBER, value_at
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, passing, together
from service.archive.streams import column


def conversion_rows(tables: Tables, parts: Sequence[Part], question: Conversions) -> Rows:
    """Return the rows of sql/archive/conversions.sql."""
    reached = together([_reached(part, question) for part in parts]).aggregate(
        [column("session"), call("count").alias("events"), call("sum", column("value")).alias("value")]
    )
    sessions = [
        found.events.select(column("session"), column("user_id"), found.key.alias("key"))
        for found in keyed(tables, parts, question, question.division)
    ]
    return rows_of(
        tables.connection,
        "conversions",
        given={"most": question.most, "divided": question.division is not None},
        reached=tables.make("reached", reached),
        sessions=tables.make("sessions", together(sessions).distinct()),
    )


def _reached(part: Part, question: Conversions) -> DuckDBPyRelation:
    """Return the events of the goal, whether they pass the question's checks or not."""
    value = NO_NUMBER if question.value is None else value_at(question.value, part.properties).number
    return passing(part, question, question.goal).select(column("session"), value.alias("value"))
