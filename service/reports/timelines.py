"""One session or one user, event by event, as far as events are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.errors import NotFound
from service.questions.filters import Filters
from service.questions.hours import MOST_HOURS, closed_range, time_text
from service.questions.parameters import SHOWN, invalid, parse, whole
from service.reports.event_list import MOST_EVENTS, Cursor, cursor_from, event_of, next_cursor, page_of
from service.reports.kept_range import EVENTS, KeptRange
from sql.database import Database, Row

MOST_USERS = 100
MOST_SESSIONS = 100
PARAMETERS = frozenset({"hours", "from", "to", "limit", "cursor"})


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the events of a session or user.

    since: the start of the kept part of the range. known: rows of read_session or read_user. more: whether another page
    follows.
    """

    since: datetime
    known: list[Row]
    page: list[Row]
    more: bool


class Timelines:
    """Answers `GET /api/analytics/sessions/{id}` and `GET /api/analytics/users/{id}`, each quickly by an index.

    The id may also be a parameter, because clients normalise paths that end in `.` or `..`.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def session(self, session_id: str | None, query: bytes) -> dict[str, Any]:
        """Return a session and a page of its events, oldest first. Raises NotFound without events, Expired, Invalid.

        session_id: None when the query has it.
        """
        given, session_id = _asked(query, "session_id", session_id)
        cursor, limit = _cursor(given, self._clock(), oldest_first=True), _limit(given)
        statements = self._database.statements
        last = (cursor.timestamp, cursor.event_id, cursor.shard)
        kept = await KeptRange.of(self._database, cursor.since, cursor.until, EVENTS)
        while True:
            among = (session_id, kept.since, cursor.until)
            known = await self._database.rows(statements.read_session, *among, MOST_USERS)
            page, more = await self._page(limit, statements.list_session, *among, limit + 1, *last)
            if not await kept.shrank():
                break
        found = Found(kept.since, known, page, more)
        _check_known("session", session_id, found)
        users = {"user_ids": found.known[0]["user_ids"] or []}
        return {"ok": True, "session_id": session_id, **users, **_seen(found), **_range(cursor, found)}

    async def user(self, user_id: str | None, query: bytes) -> dict[str, Any]:
        """Return a user and a page of its events, newest first. Raises NotFound without events, Expired, Invalid.

        user_id: None when the query has it.
        """
        given, user_id = _asked(query, "user_id", user_id)
        cursor, limit = _cursor(given, self._clock(), oldest_first=False), _limit(given)
        statements = self._database.statements
        last = (cursor.timestamp, cursor.event_id, cursor.shard)
        filters = Filters(user_id=user_id).document()
        kept = await KeptRange.of(self._database, cursor.since, cursor.until, EVENTS)
        while True:
            known = await self._database.rows(statements.read_user, user_id, kept.since, cursor.until, MOST_SESSIONS)
            place = (kept.since, limit + 1, *last)
            page, more = await self._page(limit, statements.list_events_of_user, *place, filters)
            if not await kept.shrank():
                break
        found = Found(kept.since, known, page, more)
        _check_known("user", user_id, found)
        sessions = {
            "sessions_in_range": found.known[0]["sessions_in_range"],
            "sessions": [_session(row) for row in found.known if row["session_events"]],
        }
        days = {"days_active": found.known[0]["days_active"]}
        return {"ok": True, "user_id": user_id, **_seen(found), **days, **sessions, **_range(cursor, found)}

    async def _page(self, limit: int, query: str, *args: object) -> tuple[list[Row], bool]:
        async with self._database.transaction() as session:
            return await page_of(session.stream(query, *args), limit)


def _asked(query: bytes, parameter: str, name: str | None) -> tuple[dict[str, str], str]:
    """Return the parameters, and the id: `name`, or a parameter. Raises Invalid."""
    given = parse(query, PARAMETERS if name is not None else PARAMETERS | {parameter})
    name = given.get(parameter) if name is None else name
    if name is None:
        raise invalid(parameter, "must be given")
    return given, name


def _cursor(given: Mapping[str, str], now: datetime, *, oldest_first: bool) -> Cursor:
    """Return the beginning of the page: the parameter `cursor`, or an end of the range with an id that no event has."""
    if given.get("cursor"):
        return cursor_from(given["cursor"])
    since, until = closed_range(given, MOST_HOURS, now)
    return Cursor(since, since if oldest_first else until, "", 0, until)


def _limit(given: Mapping[str, str]) -> int:
    return whole(given, "limit", MOST_EVENTS, MOST_EVENTS)


def _check_known(what: str, name: str, found: Found) -> None:
    if not found.known:
        raise NotFound(f"there is no {what} {name[:SHOWN]!r}, or nothing of it is kept any more")


def _seen(found: Found) -> dict[str, Any]:
    known = found.known[0]
    return {
        "first_seen": time_text(known["first_seen"]),
        "last_seen": time_text(known["last_seen"]),
        "events_in_range": known["events_in_range"],
    }


def _session(row: Row) -> dict[str, Any]:
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
