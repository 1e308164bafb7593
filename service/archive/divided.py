"""The events of a question, each with the key that divides them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from duckdb import DuckDBPyRelation, Expression

from service.archive.json_text import call, constant
from service.archive.keys import event_key
from service.archive.places import Places
from service.archive.questions import Question
from service.archive.results import Tables
from service.archive.source import Part, passing, together
from service.archive.streams import column
from service.questions.conditions import PROPERTIES
from service.questions.divisions import EXIT_PAGE, OF_VISITS, Division
from service.questions.page_events import PAGE, PAGE_VIEWED


class Keyed(NamedTuple):
    """The events of a part that pass, and the key of each: null without one."""

    events: DuckDBPyRelation
    key: Expression


def keyed(tables: Tables, parts: Sequence[Part], question: Question, by: Division | None) -> Iterator[Keyed]:
    """Give the events of each part with their keys."""
    if by is not None and by.dimension in OF_VISITS:
        pages = _pages(tables, parts, question, by)
        for part in parts:
            events = passing(part, question, question.checks).set_alias("events")
            yield Keyed(events.join(pages.set_alias("pages"), "session", how="left"), column("page"))
        return
    dimension, path = by or (None, None)
    for part in parts:
        yield Keyed(passing(part, question, question.checks), event_key(dimension, path, part.properties))


def _pages(tables: Tables, parts: Sequence[Part], question: Question, by: Division) -> DuckDBPyRelation:
    """Return the first or the last page of each visit in the range, whichever of its events pass."""
    pick = "arg_max" if by.dimension == EXIT_PAGE else "arg_min"
    page = call(pick, column("page"), column("place")).alias("page")
    return tables.make("pages", page_views(parts, question).aggregate([column("session"), page]))


def page_views(parts: Sequence[Part], question: Question) -> DuckDBPyRelation:
    """Return the page views of the range that have a path, whether they pass or not: session, place, page."""
    places = Places(exact=True, start=0)
    views = [
        passing(part, question, ())
        .filter(column("event_type") == constant(PAGE_VIEWED))
        .select(
            column("session"),
            places.place(call("epoch_us", column("timestamp"))).alias("place"),
            event_key(PROPERTIES, PAGE, part.properties).alias("page"),
        )
        for part in parts
    ]
    return together(views).filter(column("page").isnotnull())
