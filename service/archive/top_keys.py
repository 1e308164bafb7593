"""Answers which keys are the largest."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyRelation

from service.archive.divided import keyed
from service.archive.json_text import call, constant
from service.archive.keys import NO_KEY
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, together
from service.archive.streams import column
from service.archive.top_questions import Top
from service.questions.divisions import Division

_NO_SESSION = constant(None).cast("UUID")


def top_rows(tables: Tables, parts: Sequence[Part], question: Top) -> Rows:
    """Return the rows of sql/archive/top.sql."""
    by = Division(question.divided_by, question.path)
    members = [column("session"), column("user_id")] if question.counts_members else []
    events = together(
        [found.events.select(found.key.alias("key"), *members) for found in keyed(tables, parts, question, by)]
    )
    given = {"most": question.most, "rank": question.rank, "search": question.search}
    # Sessions and users are grouped each from the events: groups of both would be about as many as these.
    sessions = tables.make("of_sessions", _sessions(events, question))
    users = tables.make("of_users", _users(events, question))
    return rows_of(tables.connection, "top", given=given, of_sessions=sessions, of_users=users)


def _sessions(events: DuckDBPyRelation, question: Top) -> DuckDBPyRelation:
    """Return the events of each key and session, and whether any of them names a user."""
    counted = call("count").alias("events")
    if question.counts_members:
        is_identified = call("bool_or", column("user_id").isnotnull()).alias("identified")
        return events.aggregate([column("key"), column("session"), counted, is_identified])
    groups = events.aggregate([column("key"), counted])
    none = _NO_SESSION.alias("session"), column("events"), constant(False).alias("identified")
    return groups.select(column("key"), *none)


def _users(events: DuckDBPyRelation, question: Top) -> DuckDBPyRelation:
    """Return the users of each key."""
    if question.counts_members:
        return events.filter(column("user_id").isnotnull()).select(column("key"), column("user_id")).distinct()
    return events.select(column("key"), NO_KEY.alias("user_id")).filter(constant(False))
