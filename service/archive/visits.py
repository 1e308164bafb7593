"""Answers what visits are like."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyRelation

from service.archive.conditions import passes_all
from service.archive.divided import keyed
from service.archive.json_text import call, constant, surely
from service.archive.keys import NO_KEY, named_key
from service.archive.measure_questions import Visits
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, bucket, passing, together
from service.archive.streams import column
from service.questions.page_events import PAGE_LEFT, PAGE_VIEWED


def visit_rows(tables: Tables, parts: Sequence[Part], question: Visits) -> Rows:
    """Return the rows of sql/archive/visits.sql."""
    every = together([_events(part, question) for part in parts]).aggregate(
        [
            column("session"),
            call("min", column("bucket")).alias("bucket"),
            (call("max", column("moment")) - call("min", column("moment"))).alias("duration"),
            call("count_if", column("is_view")).alias("views"),
            call("count_if", column("is_more")).alias("others"),
            call("bool_or", column("passes")).alias("passes"),
        ]
    )
    visits = tables.make("visits", every.filter(column("passes")))
    return rows_of(tables.connection, "visits", visits=visits, keys=_keys(tables, parts, question))


def _events(part: Part, question: Visits) -> DuckDBPyRelation:
    kind = column("event_type")
    return passing(part, question, ()).select(
        column("session"),
        bucket(question.bounds).alias("bucket"),
        call("epoch_us", column("timestamp")).alias("moment"),
        (kind == constant(PAGE_VIEWED)).alias("is_view"),
        kind.isnotin(constant(PAGE_VIEWED), constant(PAGE_LEFT)).alias("is_more"),
        surely(passes_all(question.checks, part.properties)).alias("passes"),
    )


def _keys(tables: Tables, parts: Sequence[Part], question: Visits) -> DuckDBPyRelation:
    """Return the keys of each visit, none without a division."""
    if question.division is None:
        nothing = parts[0].relation.filter(constant(False))
        return nothing.select(column("session"), NO_KEY.alias("key"))
    found = [
        of_part.events.select(column("session"), named_key(of_part.key, question.keys).alias("key"))
        for of_part in keyed(tables, parts, question, question.division)
    ]
    return together(found).filter(column("key").isnotnull()).distinct()
