"""HTTP out: what is kept of one session or one user, event by event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from service.errors import ApiError
from service.questions.filters import Filters
from service.questions.parameters import MOST_HOURS, SHOWN, closed_range, parse, time_text, whole
from service.reports.counts import EVENTS
from service.reports.event_list import MOST_EVENTS, Cursor, cursor_from, event_of, next_cursor, page_of
from service.reports.kept_range import kept_since, read_within_kept
from sql.database import Database

MOST_USERS = 100
MOST_SESSIONS = 100
PARAMETERS = frozenset({"hours", "from", "to", "limit", "cursor"})

Rows = list[asyncpg.Record]
Statement = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of the session or user, a page of its events, and whether there are more. since: of the range."""

    since: datetime
    known: Rows
    page: Rows
    more: bool


class Timelines:
    """Answers `GET /api/analytics/sessions/{id}` and `GET /api/analytics/users/{id}`: what indexes find at once."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def session(self, session_id: str, query: bytes) -> dict[str, Any]:
        """Return what is kept of a session, its events oldest first. Raises ApiError 404 when nothing is."""
        given = parse(query, PARAMETERS)
        cursor, limit = _cursor(given, self._clock(), oldest_first=True), _limit(given)
        statements = self._database.statements
        last = (cursor.timestamp, cursor.event_id, cursor.shard)
        found = await self._found(
            cursor,
            limit,
            lambda since: (statements.read_session, session_id, since, cursor.until, MOST_USERS),
            lambda since: (statements.list_session, session_id, since, cursor.until, limit + 1, *last),
        )
        _check_known("session", session_id, found)
        users = {"user_ids": found.known[0]["user_ids"] or []}
        return {"ok": True, "session_id": session_id, **users, **_seen(found), **_range(cursor, found)}

    async def user(self, user_id: str, query: bytes) -> dict[str, Any]:
        """Return what is known of a user, and the events kept, newest first. Raises ApiError 404 when nothing is."""
        given = parse(query, PARAMETERS)
        cursor, limit = _cursor(given, self._clock(), oldest_first=False), _limit(given)
        statements = self._database.statements
        last = (cursor.timestamp, cursor.event_id, cursor.shard)
        filters = Filters(user_id=user_id).document()
        found = await self._found(
            cursor,
            limit,
            lambda since: (statements.read_user, user_id, since, cursor.until, MOST_SESSIONS),
            lambda since: (statements.list_events_of_user, since, limit + 1, *last, filters),
        )
        _check_known("user", user_id, found)
        sessions = {
            "sessions_in_range": found.known[0]["sessions_in_range"],
            "sessions": [_session(row) for row in found.known if row["session_events"]],
        }
        days = {"days_active": found.known[0]["days_active"]}
        return {"ok": True, "user_id": user_id, **_seen(found), **days, **sessions, **_range(cursor, found)}

    async def _found(
        self,
        cursor: Cursor,
        limit: int,
        known: Callable[[datetime], Statement],
        listed: Callable[[datetime], Statement],
    ) -> Found:
        """Return what two statements find in what is kept of a range."""

        async def read(since: datetime) -> Found:
            about = await self._database.rows(*known(since))
            async with self._database.transaction() as session:
                return Found(since, about, *await page_of(session.stream(*listed(since)), limit))

        _, found = await read_within_kept(EVENTS, cursor.since, cursor.until, self._kept_since, read)
        return found

    async def _kept_since(self) -> datetime:
        return await kept_since(self._database, "events_since")


def _cursor(given: Mapping[str, str], now: datetime, *, oldest_first: bool) -> Cursor:
    """Return where the page begins that is asked for. An event's id is never empty."""
    if given.get("cursor"):
        return cursor_from(given["cursor"])
    since, until = closed_range(given, MOST_HOURS, now)
    return Cursor(since, since if oldest_first else until, "", 0, until)


def _limit(given: Mapping[str, str]) -> int:
    return whole(given, "limit", MOST_EVENTS, MOST_EVENTS)


def _check_known(what: str, name: str, found: Found) -> None:
    if not found.known:
        raise ApiError(404, "not_found", f"nothing is kept of a {what} {name[:SHOWN]!r}")


def _seen(found: Found) -> dict[str, Any]:
    known = found.known[0]
    return {
        "first_seen": time_text(known["first_seen"]),
        "last_seen": time_text(known["last_seen"]),
        "events_in_range": known["events_in_range"],
    }


def _session(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "session_id": row["session_id"],
        "first_seen": time_text(row["session_first"]),
        "last_seen": time_text(row["session_last"]),
        "events": row["session_events"],
    }


def _range(cursor: Cursor, found: Found) -> dict[str, Any]:
    return {
        "from": time_text(found.since),
        "to": time_text(cursor.until),
        "source": EVENTS,
        "events": [event_of(row) for row in found.page],
        "next_cursor": next_cursor(cursor, found.page) if found.more else None,
    }
