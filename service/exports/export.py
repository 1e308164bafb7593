"""Exports of events and rollups: all rows of a range, as of one moment. Memory does not grow with the number of rows.

An export has a connection of its own until it ends, so that other reads and all writes never wait for it. For filters,
and for days whose events only the archive has, it has an engine of its own, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec import Struct, structs

from service.archive.checks import filter_checks
from service.archive.process import Answer
from service.errors import Busy
from service.exports.formats import CSV, FORMATS, MEDIA_TYPES, Writer, writer
from service.exports.rows import (
    EVENT_COLUMNS,
    RECEIVED_AT,
    ROLLUP_COLUMNS,
    Columns,
    Rows,
    archived_rows,
    event_rows,
    rollup_rows,
)
from service.questions.filters import NAMES, Filters
from service.questions.hours import closed_range, time_text
from service.questions.parameters import choice, invalid, switch
from service.questions.segments import Segments
from service.reports.archived_events import ArchivedEvents, Wanted
from service.reports.kept_range import EVENTS, ROLLUPS, first_kept, since_of
from service.reports.raw_events import Asked
from service.reports.shards import Shards
from sql.database import Database, Session

AT_A_TIME = 2
# The longest that the database may search for the next chunk of rows. A rare match takes long to find.
STATEMENT_SECONDS = 300
# Its transaction waits for the engine as long as for a statement.
PATIENT = {"idle_in_transaction_session_timeout": f"{2 * STATEMENT_SECONDS}s"}
DEFAULT_HOURS = 168
PARAMETERS = NAMES | {"format", "of", "hours", "from", "to", "received_at"}


@dataclass(frozen=True, slots=True)
class Question:
    """An export to make. of: EVENTS or ROLLUPS. form: one of FORMATS. Rollups take no filters."""

    of: str
    form: str
    since: datetime
    until: datetime
    filters: Filters
    columns: Columns


@dataclass(frozen=True, slots=True)
class Block:
    """The next bytes of an export, the number of rows in them, and the time up to which they complete the range."""

    content: bytes
    rows: int
    upto: datetime


@dataclass(frozen=True, slots=True)
class Export:
    """An export that has begun. since: the start of the kept part of the question's range."""

    question: Question
    since: datetime
    blocks: AsyncIterator[Block]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        since, until = self.since, self.question.until
        name = f"{self.question.of}-{_name_of(since)}-{_name_of(until)}.{self.question.form}"
        return {
            "content-type": MEDIA_TYPES[self.question.form],
            "content-disposition": f'attachment; filename="{name}"',
            "x-hourledger-from": time_text(since),
            "x-hourledger-to": time_text(until),
            "cache-control": "no-store",
        }


@dataclass(slots=True)
class _Room:
    """What the exports of all sites share. tasks: those under way. ended: whether there may be no more."""

    tasks: set[asyncio.Task[object] | None] = field(default_factory=set)
    ended: bool = False


class Exports:
    """Makes at most AT_A_TIME exports at a time, of one site.

    new_engine: makes what answers the questions of one export. shards: those of the site.
    """

    def __init__(
        self,
        url: str,
        segments: Segments,
        new_engine: Callable[[], Asked],
        clock: Callable[[], datetime],
        shards: Shards | None = None,
    ) -> None:
        self._database = Database(url, connections=AT_A_TIME, statement_seconds=STATEMENT_SECONDS, read_only=True)
        self._new_engine = new_engine
        self.segments = segments
        self.shards = shards or Shards(self._database)
        self._clock = clock
        self._room = _Room()

    def of(self, segments: Segments, shards: Shards) -> Exports:
        """Return what exports another site. Both have the same places and connections, and end together."""
        other = copy(self)
        other.segments, other.shards = segments, shards
        return other

    @property
    def ended(self) -> bool:
        """Whether there are to be no more exports."""
        return self._room.ended

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()

    def end(self) -> None:
        """Cancel the exports under way, those of other sites, too, and refuse new ones."""
        self._room.ended = True
        for task in self._room.tasks:
            if task is not None:
                task.cancel()

    async def question(self, given: Mapping[str, str]) -> Question:
        """Return the export that parameters ask for. Raises Invalid."""
        of = choice(given, "of", (EVENTS, ROLLUPS), EVENTS)
        columns: Columns = ROLLUP_COLUMNS
        if of == EVENTS:
            columns = EVENT_COLUMNS | (RECEIVED_AT if switch(given, "received_at", default=False) else {})
        elif other := sorted(given.keys() & (NAMES | {"received_at"})):
            raise invalid(other[0], "applies only to events: leave it out, or export events")
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        form = choice(given, "format", FORMATS, CSV)
        return Question(of, form, since, until, await self.segments.filters(given), columns)

    @asynccontextmanager
    async def begun(self, question: Question) -> AsyncIterator[Export]:
        """Begin an export. Read it within this context.

        Raises Expired when nothing of the range is kept, NotInstalled when the format's library is missing, Busy when
        too many exports are under way, and sql.errors.DatabaseError.
        """
        if self.ended or len(self._room.tasks) >= AT_A_TIME:
            raise Busy(f"{AT_A_TIME} exports are being made, or the service is stopping; try again")
        task = asyncio.current_task()
        self._room.tasks.add(task)
        try:
            made = await asyncio.to_thread(writer, question.form, question.columns)
            async with self._snapshot(question) as session, self._engine() as engine:
                since, rows = await self._rows(session, engine, question)
                yield Export(question, since, _blocks(made, rows, question.until))
        finally:
            self._room.tasks.discard(task)

    def _snapshot(self, question: Question) -> AbstractAsyncContextManager[Session]:
        """Begin the transaction of an export.

        When retention deletes rollups, the transaction's snapshot still shows them. When it takes a day out of the
        rows, the day disappears from every snapshot. So the transaction first holds the log (R6), and then takes its
        snapshot.
        """
        return self._database.snapshot(first=self._database.statements.hold_log if question.of == EVENTS else None)

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[Asked]:
        engine = self._new_engine()
        try:
            yield engine
        finally:
            await engine.close()

    async def _rows(self, session: Session, engine: Asked, question: Question) -> tuple[datetime, AsyncIterator[Rows]]:
        """Return the start of the part of the range that is kept, and its rows. Raises Expired."""
        statements, shards = self._database.statements, await self.shards.numbers()
        kept = await session.only(statements.read_kept, shards)
        since = first_kept(question.of, question.since, question.until, since_of(kept, question.of))
        if question.of == EVENTS:
            # Filters are DuckDB's. Else only what has no rows is.
            until = question.until
            rows_since = until if question.filters else min(max(since, kept["rows_since"] or since), until)
            return since, self._events(session, engine, replace(question, since=since), rows_since)
        return since, rollup_rows(session, statements, shards, since, question.until)

    async def _events(
        self, session: Session, engine: Asked, question: Question, rows_since: datetime
    ) -> AsyncIterator[Rows]:
        """Give the events of a question: before `rows_since` as DuckDB finds them, from there on rows."""
        statements, columns = self._database.statements, question.columns
        shards = await self.shards.numbers()

        async def ask(asked: Struct) -> Answer:
            return await engine.ask(structs.replace(asked, shards=tuple(shards)))

        if question.since < rows_since:
            await session.configure(PATIENT)
            # The engine reads what this transaction sees.
            snapshot = (await session.only(statements.lend_snapshot))["snapshot"]
            wanted = Wanted(question.since, rows_since, filter_checks(question.filters), snapshot)
            async for rows in archived_rows(ArchivedEvents(ask), columns, wanted):
                yield rows
        if rows_since < question.until:
            async for rows in event_rows(session, statements, shards, columns, rows_since, question.until):
                yield rows


def _name_of(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M}Z" if moment.minute else f"{moment:%Y%m%dT%H}Z"


async def _blocks(made: Writer, rows: AsyncIterator[Rows], until: datetime) -> AsyncIterator[Block]:
    begin = made.begin()
    async for some in rows:
        # In a thread, so that the loop can answer other requests.
        content = await asyncio.to_thread(made.rows, some.rows)
        yield Block(begin + content, len(some.rows), some.upto)
        begin = b""
    yield Block(await asyncio.to_thread(made.end), 0, until)
