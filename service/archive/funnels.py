"""Answers funnels.

One pass finds the first run of each actor, which is the one that counts unless it is undecided. Only the events of
undecided actors are sorted, and all their runs compared.
A strict run depends on every event, so its pass needs events in order. Files have each session's events together and
in order, so the sessions that are undecided are those with events in several parts.
"""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyRelation

from service.archive.duck_thread import THREADS
from service.archive.json_text import call, constant
from service.archive.places import Places
from service.archive.questions import Funnel
from service.archive.results import Rows, Tables, rows_of
from service.archive.runs import actor, deepest, first_runs, moment, strict_runs
from service.archive.source import Part, are_apart, funnel_events, funnel_names, microseconds, together
from service.archive.streams import column, having

MICROSECONDS = 60_000_000
_ORDER = (actor, moment, column("position"), column("shard"))


def funnel_rows(tables: Tables, parts: Sequence[Part], question: Funnel) -> Rows:
    """Return the rows of sql/archive/funnel.sql."""
    given = {
        "steps": len(question.steps),
        "divided": question.divided_by is not None,
        "most_keys": question.most_keys,
        "most_ids": question.most_ids,
    }
    runs = _runs(tables, parts, question).filter(column("passed").isnotnull())
    # A user's text is the actor itself.
    of_users = runs.select(actor, actor.alias("id"))
    names = of_users if question.by_user else together([funnel_names(part, question) for part in parts])
    return rows_of(tables.connection, "funnel", given=given, runs=runs, names=names)


def _runs(tables: Tables, parts: Sequence[Part], question: Funnel) -> DuckDBPyRelation:
    """Return the run that counts of each actor."""
    events = [funnel_events(part, question) for part in parts]
    if question.strict and question.by_user:
        return _compared(tables, events, question)
    if question.by_user:
        # A user has several sessions, so the first pass leaves many users undecided. Their events are read again.
        events = [tables.make("events", together(events))]
    if question.strict:
        found = _strict_of_parts(tables, parts, events, question)
    else:
        found = tables.make("found", _first(events, question))
    others = tables.make("others", _undecided(found, question))
    if not others.limit(1).fetchall():
        return found
    decided = found.join(others, "actor", how="anti")
    return tables.make("runs", decided.union(_compared(tables, events, question, others)))


def _first(events: Sequence[DuckDBPyRelation], question: Funnel) -> DuckDBPyRelation:
    exact = question.divided_by is not None or not are_apart(question)
    return _first_of(together(events), question, Places(exact, microseconds(question.since)))


def _first_of(events: DuckDBPyRelation, question: Funnel, places: Places) -> DuckDBPyRelation:
    placed = having(events, place=places.place(moment))
    divided = question.divided_by is not None
    return first_runs(placed, len(question.steps), _window(question), places, divided=divided)


def _strict_of_parts(
    tables: Tables, parts: Sequence[Part], events: Sequence[DuckDBPyRelation], question: Funnel
) -> DuckDBPyRelation:
    """Return the strict run of each actor in each part.

    One thread reads a part. DuckDB reads two sides of a union at a time, but with a third one mostly one after the
    other, so a union has as many sides as there are threads.
    """
    in_order = [of_part if part.ordered else of_part.sort(*_ORDER) for part, of_part in zip(parts, events, strict=True)]
    runs = [strict_runs(of_part, len(question.steps), _window(question)) for of_part in in_order]
    found = tables.make("found", together(runs[:THREADS]))
    for first in range(THREADS, len(runs), THREADS):
        tables.add("found", together(runs[first : first + THREADS]))
    return found


def _undecided(found: DuckDBPyRelation, question: Funnel) -> DuckDBPyRelation:
    if not question.strict:
        return found.filter(column("undecided")).select(actor)
    counted = found.aggregate([actor, call("count", actor).alias("parts")])
    return counted.filter(column("parts") > constant(1)).select(actor)


def _compared(
    tables: Tables, events: Sequence[DuckDBPyRelation], question: Funnel, only: DuckDBPyRelation | None = None
) -> DuckDBPyRelation:
    """Return the run that counts of each actor, or only of some, from events in any order."""
    if only is not None:
        events = [of_part.join(only, "actor", how="semi") for of_part in events]
    ordered = tables.make("ordered", together(events).sort(*_ORDER))
    if question.strict:
        return strict_runs(ordered, len(question.steps), _window(question))
    endings = tables.make("endings", deepest(ordered, len(question.steps), _window(question)))
    # The run that counts is now the first that begins in the window before its end.
    near = ordered.join(endings, "actor")
    near = near.filter(moment.between(column("ending") - constant(_window(question)), column("ending")))
    return _first_of(near, question, Places(True, microseconds(question.since)))


def _window(question: Funnel) -> int:
    return question.window_minutes * MICROSECONDS
