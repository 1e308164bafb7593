"""Answers which pages visits go to from a page, or come from."""

from __future__ import annotations

from collections.abc import Sequence

from service.archive.divided import page_views
from service.archive.path_questions import Paths
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, passing, together
from service.archive.streams import column


def path_rows(tables: Tables, parts: Sequence[Part], question: Paths) -> Rows:
    """Return the rows of sql/archive/paths.sql."""
    views = page_views(parts, question)
    if question.checks:
        passed = together([passing(part, question, question.checks).select(column("session")) for part in parts])
        views = views.join(tables.make("passed", passed.distinct()), "session", how="semi")
    given = {
        "page": question.page,
        "backwards": question.backwards,
        "depth": question.depth,
        "most": question.most,
    }
    return rows_of(tables.connection, "paths", given=given, views=tables.make("views", views))
