"""One session or one user, event by event, as far as events are kept.

Rows of the log answer by an index. Where the archive has days without rows, DuckDB answers, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.archive.checks import filter_checks
from service.archive.list_questions import SessionSeen, UserSeen
from service.archive.sources import source_of_all
from service.errors import NotFound
from service.questions.filters import Filters
from service.questions.hours import MOST_HOURS, closed_range, quarter_start, time_text
from service.questions.parameters import SHOWN, invalid, parse, whole
from service.reports.archived_events import ArchivedEvents, Wanted
from service.reports.event_pages import (
    MOST_EVENTS,
    Cursor,
    Page,
    Read,
    cursor_from,
    joined,
    next_cursor,
    page_of,
)
from service.reports.kept_range import EVENTS, KeptRange
from service.reports.marked_events import marked
from service.reports.raw_events import RawEvents
from sql.database import Database, Row

MOST_USERS = 100
MOST_SESSIONS = 100
PARAMETERS = frozenset({"hours", "from", "to", "limit", "cursor"})

Known = Row | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What events tell of a session or user: rows of read_session or list_user_sessions, none without events."""

    rows: Sequence[Known]
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of events, and what all events tell. since: the start of the kept part of the range."""

    since: datetime
    seen: Seen
    page: Page


class Timelines:
    """Answers `GET /api/analytics/sessions/{id}` and `GET /api/analytics/users/{id}`.

    The id may also be a parameter, because clients normalise paths that end in `.` or `..`.
    """

    def __init__(self, database: Database, raw_events: RawEvents, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._raw_events = raw_events
        self._archived = ArchivedEvents(raw_events.ask)
        self._clock = clock

    async def session(self, session_id: str | None, query: bytes) -> dict[str, Any]:
        """Return a session and a page of its events, oldest first. Raises NotFound without events, Expired, Invalid.

        session_id: None when the query has it.
        """
        given, session_id = _asked(query, "session_id", session_id)
        cursor, limit = _cursor(given, self._clock(), oldest_first=True), _limit(given)
        kept = await KeptRange.of(self._database, self._raw_events.shards, cursor.since, cursor.until, EVENTS)
        while True:
            found = await self._found_session(session_id, cursor, limit, kept)
            if not await kept.moved():
                break
        if not found.seen.rows:
            raise _unknown("session", session_id)
        known = found.seen.rows[0]
        users = {"user_ids": known["user_ids"] or []}
        seen = _seen(known["first_seen"], known["last_seen"], known["events_in_range"])
        return {"ok": True, "session_id": session_id, **users, **seen, **await self._range(cursor, found)}

    async def _found_session(self, session_id: str, cursor: Cursor, limit: int, kept: KeptRange) -> Found:
        statements = self._database.statements
        checks = filter_checks(Filters(session_id=session_id))
        since, until = kept.since, cursor.until
        question = SessionSeen(checks=checks, since=since, until=until, most_users=MOST_USERS)
        seen = await self._seen(kept, question, statements.read_session, session_id, since, until, MOST_USERS)
        in_rows = (session_id, max(since, kept.rows_since), until)
        of_rows = self._of_rows(statements.list_session, in_rows, cursor)
        of_archive = self._of_archive(Wanted(since, min(until, kept.rows_since), checks), cursor, oldest_first=True)
        return Found(since, seen, await joined(limit, of_archive, of_rows))

    async def user(self, user_id: str | None, query: bytes) -> dict[str, Any]:
        """Return a user and a page of its events, newest first. Raises NotFound without events, Expired, Invalid.

        user_id: None when the query has it.
        """
        given, user_id = _asked(query, "user_id", user_id)
        cursor, limit = _cursor(given, self._clock(), oldest_first=False), _limit(given)
        kept = await KeptRange.of(self._database, self._raw_events.shards, cursor.since, cursor.until, EVENTS)
        while True:
            # First the rollups: what the projector folds meanwhile is in the events.
            shards = await self._raw_events.shards.numbers()
            in_rollups = await self._database.only(self._database.statements.read_user, shards, user_id)
            found = await self._found_user(user_id, cursor, limit, kept)
            if not await kept.moved():
                break
        if not found.seen.rows and in_rollups["first_bucket"] is None:
            raise _unknown("user", user_id)
        known = found.seen.rows[0] if found.seen.rows else _NO_EVENTS
        seen = _seen(
            _first_seen(known["first_seen"], in_rollups["first_bucket"]),
            known["last_seen"] or in_rollups["last_bucket"],
            known["events_in_range"],
        )
        sessions = {
            "days_active": len({*(in_rollups["days"] or ()), *known["days"]}),
            "sessions_in_range": known["sessions_in_range"],
            "sessions": [_session(row) for row in found.seen.rows if row["session_events"]],
        }
        return {"ok": True, "user_id": user_id, **seen, **sessions, **await self._range(cursor, found)}

    async def _found_user(self, user_id: str, cursor: Cursor, limit: int, kept: KeptRange) -> Found:
        statements = self._database.statements
        checks = filter_checks(Filters(user_id=user_id))
        since, until = kept.since, cursor.until
        question = UserSeen(checks=checks, since=since, until=until, most_sessions=MOST_SESSIONS)
        seen = await self._seen(kept, question, statements.list_user_sessions, user_id, since, until, MOST_SESSIONS)
        of_rows = self._of_rows(statements.list_user, (user_id, max(since, kept.rows_since)), cursor)
        of_archive = self._of_archive(Wanted(since, min(until, kept.rows_since), checks), cursor, oldest_first=False)
        return Found(since, seen, await joined(limit, of_rows, of_archive))

    async def _seen(self, kept: KeptRange, question: SessionSeen | UserSeen, query: str, *args: object) -> Seen:
        """Return what all events tell: from a query while rows have them all, else from the question like it."""
        if not kept.has_archived:
            return Seen(await self._database.rows(query, await self._raw_events.shards.numbers(), *args), EVENTS)
        async with self._raw_events.admitted():
            answer = await self._raw_events.ask(question)
        return Seen(answer.rows, answer.source)

    def _of_rows(self, query: str, among: tuple[object, ...], cursor: Cursor) -> Read:
        async def read(limit: int) -> Page:
            shards = await self._raw_events.shards.numbers()
            place = (limit + 1, cursor.timestamp, cursor.event_id, cursor.shard)
            async with self._database.transaction() as session:
                return await page_of(session.stream(query, shards, *among, *place), limit, EVENTS)

        return read

    def _of_archive(self, wanted: Wanted, cursor: Cursor, *, oldest_first: bool) -> Read:
        async def read(limit: int) -> Page:
            if wanted.since >= wanted.until:
                return Page([], more=False, sources=frozenset())
            async with self._raw_events.admitted():
                return await self._archived.page(wanted, cursor.place, limit, oldest_first=oldest_first)

        return read

    async def _range(self, cursor: Cursor, found: Found) -> dict[str, Any]:
        return {
            "from": time_text(found.since),
            "to": time_text(cursor.until),
            "source": source_of_all([found.seen.source, *found.page.sources]),
            "events": await marked(self._database, found.page.events),
            "next_cursor": next_cursor(cursor, found.page),
        }


# A user of whom only rollups know.
_NO_EVENTS: Known = {
    "first_seen": None,
    "last_seen": None,
    "days": (),
    "events_in_range": 0,
    "sessions_in_range": 0,
}


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


def _unknown(what: str, name: str) -> NotFound:
    return NotFound(f"there is no {what} {name[:SHOWN]!r}, or nothing of it is kept any more")


def _first_seen(event: datetime | None, bucket: datetime | None) -> datetime:
    """Return the time of a user's first event, or the start of its quarter of an hour when the event is not kept."""
    return min((moment for moment in (event, bucket) if moment is not None), key=quarter_start)


def _seen(first: datetime, last: datetime, events_in_range: int) -> dict[str, Any]:
    return {"first_seen": time_text(first), "last_seen": time_text(last), "events_in_range": events_in_range}


def _session(row: Known) -> dict[str, Any]:
    return {
        "session_id": row["session_id"],
        "first_seen": time_text(row["session_first"]),
        "last_seen": time_text(row["session_last"]),
        "events": row["session_events"],
    }
