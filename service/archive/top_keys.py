"""Answers which keys are the largest."""

from __future__ import annotations

from collections.abc import Sequence

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
    groups = events.aggregate([column("key"), *members, call("count").alias("events")])
    if not members:
        none = _NO_SESSION.alias("session"), NO_KEY.alias("user_id")
        groups = groups.select(column("key"), *none, column("events"))
    given = {"most": question.most, "rank": question.rank, "search": question.search}
    return rows_of(tables.connection, "top", given=given, groups=tables.make("groups", groups))
