"""Answers what is known of one session or user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from duckdb import DuckDBPyRelation

from service.archive.list_questions import SessionSeen, UserSeen
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import EPOCH, MICROSECOND, Part, microseconds, passing, together
from service.archive.streams import column

_MOMENTS = ("first_seen", "last_seen", "session_first", "session_last")


def session_rows(tables: Tables, parts: Sequence[Part], question: SessionSeen) -> Rows:
    """Return the rows of sql/archive/read_session.sql, with times."""
    return _seen(tables, "read_session", _events(parts, question, "user_id"), question, question.most_users)


def user_rows(tables: Tables, parts: Sequence[Part], question: UserSeen) -> Rows:
    """Return the rows of sql/archive/read_user.sql, with times."""
    return _seen(tables, "read_user", _events(parts, question, "session_id"), question, question.most_sessions)


def _events(parts: Sequence[Part], question: SessionSeen | UserSeen, name: str) -> DuckDBPyRelation:
    found = [passing(part, question, question.checks).select(column("timestamp"), column(name)) for part in parts]
    return together(found)


def _seen(
    tables: Tables, statement: str, events: DuckDBPyRelation, question: SessionSeen | UserSeen, most: int
) -> Rows:
    given = {"since": microseconds(question.since), "until": microseconds(question.until), "most": most}
    return [_row(row) for row in rows_of(tables.connection, statement, given=given, events=events)]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    moments = {name: row[name] for name in _MOMENTS if row.get(name) is not None}
    return row | {name: EPOCH + moment * MICROSECOND for name, moment in moments.items()}
