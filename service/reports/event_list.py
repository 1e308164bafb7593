"""The list of events, newest first, with filters, pages, and an exact total.

Without filters, rows of the log answer by an index, and the archive goes on where there are no rows. Filters are
DuckDB's, wherever the events are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from service.archive.checks import filter_checks
from service.archive.list_questions import END
from service.questions.filters import NAMES, Filters
from service.questions.hours import HOUR, MOST_HOURS, hour_range, quarter_at_or_after, time_text
from service.questions.parameters import parse, switch, whole
from service.questions.segments import Segments
from service.reports.archived_events import ArchivedEvents, Wanted
from service.reports.event_pages import (
    MOST_EVENTS,
    Cursor,
    Page,
    cursor_from,
    joined,
    next_cursor,
    page_of,
)
from service.reports.kept_range import EVENTS, RETIRED, KeptRange
from service.reports.marked_events import marked
from service.reports.raw_events import RawEvents
from service.reports.shards import Shards
from sql.database import Database

DEFAULT_HOURS = 24
PARAMETERS = NAMES | {"hours", "from", "to", "limit", "cursor", "total"}

# A page, and the number of events in the range, or None without a total.
Found = tuple[Page, int | None]


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
        self._archived = ArchivedEvents(raw_events.ask)
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
        kept = await KeptRange.of(self._database, self._shards, cursor.since, cursor.until, RETIRED)
        while True:
            cut = replace(cursor, since=kept.since)
            if filters:
                page, total = await self._passing(cut, limit, filters, with_total=with_total)
            else:
                page = await self._all(cut, limit, kept.rows_since)
                total = await self._total(cut, kept.rows_since) if with_total else None
            if not await kept.moved():
                break
        return {
            "ok": True,
            **({"from": time_text(kept.since)} if kept.since > cursor.since else {}),
            "count": len(page.events),
            **({} if total is None else {"total_in_range": total}),
            "events": await marked(self._database, page.events),
            "next_cursor": next_cursor(cursor, page),
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

    async def _passing(self, cursor: Cursor, limit: int, filters: Filters, *, with_total: bool) -> Found:
        """Return a page of the events that pass."""
        wanted = Wanted(cursor.since, cursor.until, filter_checks(filters))
        async with self._raw_events.admitted():
            counts = await self._archived.counts(wanted) if with_total else None
            page = await self._archived.newest(wanted, cursor.place, limit, self._clock(), counts)
        return page, None if counts is None else counts.total

    async def _all(self, cursor: Cursor, limit: int, rows_since: datetime) -> Page:
        """Return a page of all events: from rows, and from the archive where there are none."""

        async def of_rows(limit: int) -> Page:
            shards = await self._shards.numbers()
            place = (max(cursor.since, rows_since), limit + 1, cursor.timestamp, cursor.event_id, cursor.shard)
            async with self._database.transaction() as session:
                events = session.stream(self._database.statements.list_events, shards, *place)
                return await page_of(events, limit, EVENTS)

        async def of_archive(limit: int) -> Page:
            wanted = Wanted(cursor.since, min(cursor.until, rows_since))
            async with self._raw_events.admitted():
                return await self._archived.newest(wanted, cursor.place, limit, self._clock())

        return await joined(limit, of_rows, *([of_archive] if cursor.since < rows_since else []))

    async def _total(self, cursor: Cursor, rows_since: datetime) -> int:
        """Return the number of all events in the range."""
        query = self._database.statements.count_events
        since, cut = cursor.since, 0
        if since < rows_since and (whole_since := quarter_at_or_after(since)) > since:
            # Rollups know whole quarters of an hour, and a day without rows has no others to count.
            wanted = Wanted(since, min(whole_since, cursor.until))
            async with self._raw_events.admitted():
                cut = (await self._archived.counts(wanted)).total
            since = whole_since
        shards = await self._shards.numbers()
        rows = await asyncio.gather(*(self._database.only(query, shard, since, cursor.until) for shard in shards))
        totals = [row["total"] for row in rows]
        if None in totals:  # rollups leave out quarantined events, which the list has
            async with self._raw_events.admitted():
                return (await self._archived.counts(Wanted(cursor.since, cursor.until))).total
        return cut + sum(map(int, totals))
