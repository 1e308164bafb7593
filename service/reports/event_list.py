"""The list of events, newest first, with filters, pages, and an exact total."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from service.questions.filters import NAMES, Filters
from service.questions.hours import HOUR, MOST_HOURS, hour_range, time_text
from service.questions.parameters import invalid, parse, switch, whole
from service.questions.segments import Segments
from service.reports.kept_range import RETIRED, KeptRange
from service.reports.raw_events import RawEvents
from service.reports.shards import Shards
from sql.database import Database, Row, Session

DEFAULT_HOURS = 24
MOST_EVENTS = 1_000
# The most characters of properties in one page. jsonb writes out every digit, so that 16 KiB may become a megabyte.
MOST_BYTES = 8 * 1024 * 1024
PARAMETERS = NAMES | {"hours", "from", "to", "limit", "cursor", "total"}
# Filters with an index, the most selective first, and the suffixes of the queries that use it.
LEADS = {"session_id": "session", "user_id": "user", "tool_name": "tool", "event_type": "type"}

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
END = datetime.max.replace(tzinfo=UTC)


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page begins: after the event (timestamp, event_id, shard), within the range [since, until).

    The first page begins at an end of the range.
    """

    since: Moment
    timestamp: Moment
    event_id: Annotated[str, msgspec.Meta(max_length=128, pattern="^[^\\x00]*$")]
    shard: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    until: Moment = END


class EventList:
    """Answers `GET /api/analytics/track`."""

    def __init__(
        self,
        database: Database,
        raw_events: RawEvents,
        shards: Shards,
        segments: Segments,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._raw_events = raw_events
        self._shards = shards
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return one page of events, newest first. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        limit = whole(given, "limit", MOST_EVENTS, MOST_EVENTS)
        cursor = self._cursor(given)
        with_total = switch(given, "total", default=True)
        filters = await self._segments.filters(given)
        kept = await KeptRange.of(self._database, cursor.since, cursor.until, RETIRED)
        while True:
            cut = msgspec.structs.replace(cursor, since=kept.since)
            page, more, total = await self._found(cut, limit, filters, with_total=with_total)
            if not await kept.shrank():
                break
        return {
            "ok": True,
            **({"from": time_text(kept.since)} if kept.since > cursor.since else {}),
            "count": len(page),
            **({} if total is None else {"total_in_range": total}),
            "events": [event_of(row) for row in page],
            "next_cursor": next_cursor(cursor, page) if more else None,
        }

    def _cursor(self, given: Mapping[str, str]) -> Cursor:
        if not given.get("cursor"):
            since, until = self._range(given)
            return Cursor(since, until, "", 0, until)
        return cursor_from(given["cursor"])

    def _range(self, given: Mapping[str, str]) -> tuple[datetime, datetime]:
        if "from" in given or "to" in given:
            asked = hour_range(given, DEFAULT_HOURS, self._clock())
            return asked.since, asked.until or END
        return self._clock() - whole(given, "hours", DEFAULT_HOURS, MOST_HOURS) * HOUR, END

    async def _found(
        self, cursor: Cursor, limit: int, filters: Filters, *, with_total: bool
    ) -> tuple[list[Row], bool, int | None]:
        """Return a page, whether another follows, and the number of events in the range, or None without a total."""
        # A session or a user has few events. Any other filter may search all events of the range.
        many = filters and filters.session_id is None and filters.user_id is None
        total = None
        async with self._raw_events.streaming() if many else self._database.transaction() as session:
            page, more = await self._events(session, cursor, limit, filters)
            if with_total and filters:
                query = self._of(filters, "count_matching")
                total = (await session.only(query, cursor.since, cursor.until, filters.document()))["total"]
        if with_total and not filters:
            total = await self._total(cursor)
        return page, more, total

    async def _events(self, session: Session, cursor: Cursor, limit: int, filters: Filters) -> tuple[list[Row], bool]:
        """Return a page, shorter when its properties are large, and whether another follows."""
        # Read one more than `limit`, to see whether another page follows.
        place = (cursor.since, limit + 1, cursor.timestamp, cursor.event_id, cursor.shard)
        return await page_of(session.stream(self._of(filters, "list_events"), *place, filters.document()), limit)

    async def _total(self, cursor: Cursor) -> int:
        """Return the number of events in the range, without filters."""
        query = self._database.statements.count_events
        shards = await self._shards.numbers()
        counts = await asyncio.gather(
            *(self._database.only(query, shard, cursor.since, cursor.until) for shard in shards)
        )
        return sum(count["total"] for count in counts)

    def _of(self, filters: Filters, query: str) -> str:
        """Return the query whose index finds the fewest events."""
        lead = next((f"_of_{short}" for name, short in LEADS.items() if getattr(filters, name) is not None), "")
        return str(getattr(self._database.statements, query + lead))


async def page_of(rows: AsyncIterator[Row], limit: int) -> tuple[list[Row], bool]:
    """Return at most `limit` events, fewer when their properties are large, and whether another page follows."""
    page: list[Row] = []
    size = 0
    async for row in rows:
        size += len(row["properties"] or "")
        if len(page) == limit or (page and size > MOST_BYTES):
            return page, True
        page.append(row)
    return page, False


def cursor_from(text: str) -> Cursor:
    """Return the cursor that `next_cursor` wrote. Raises InvalidParameter."""
    try:
        cursor = msgspec.json.decode(urlsafe_b64decode(text.encode()), type=Cursor)
        for moment in (cursor.since, cursor.timestamp, cursor.until):
            moment.astimezone(UTC)  # raises OverflowError outside of the calendar
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise invalid("cursor", "must be the next_cursor of an answer") from error
    return cursor


def next_cursor(cursor: Cursor, page: list[Row]) -> str:
    """Return the cursor of the page after this one, as text."""
    last = page[-1]
    place = Cursor(cursor.since, last["timestamp"], last["event_id"], last["shard"], cursor.until)
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def event_of(row: Row) -> dict[str, Any]:
    """Return an event in the form of answers."""
    properties = row["properties"]
    return {
        "event_id": row["event_id"],
        "event_type": row["event_type"],
        "session_id": row["session_id"],
        "user_id": row["user_id"],
        "tool_name": row["tool_name"],
        "action": row["action"],
        "properties": None if properties is None else msgspec.Raw(properties.encode()),
        "demo_mode": row["demo_mode"],
        "timestamp": time_text(row["timestamp"]),
        "received_at": time_text(row["received_at"]),
    }
