"""Exports of events and rollups: all rows of a range, as of one moment. Memory does not grow with the number of rows.

An export has a connection of its own until it ends, so that other reads and all writes never wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from service.errors import Busy
from service.exports.formats import CSV, FORMATS, MEDIA_TYPES, Writer, writer
from service.exports.rows import (
    EVENT_COLUMNS,
    RECEIVED_AT,
    ROLLUP_COLUMNS,
    Columns,
    Rows,
    event_rows,
    rollup_rows,
)
from service.questions.filters import NAMES, Filters
from service.questions.hours import closed_range, time_text
from service.questions.parameters import choice, invalid, switch
from service.questions.segments import Segments
from service.reports.kept_range import EVENTS, ROLLUPS, first_kept, since_of
from sql.database import Database, Session

AT_A_TIME = 2
# The longest that the database may search for the next chunk of rows. A rare match takes long to find.
STATEMENT_SECONDS = 300
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


class Exports:
    """Makes at most AT_A_TIME exports at a time."""

    def __init__(self, url: str, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._database = Database(url, connections=AT_A_TIME, statement_seconds=STATEMENT_SECONDS, read_only=True)
        self._segments = segments
        self._clock = clock
        self._tasks: set[asyncio.Task[object] | None] = set()
        self.ended = False

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()

    def end(self) -> None:
        """Cancel the exports under way, and refuse new ones."""
        self.ended = True
        for task in self._tasks:
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
        return Question(of, form, since, until, await self._segments.filters(given), columns)

    @asynccontextmanager
    async def begun(self, question: Question) -> AsyncIterator[Export]:
        """Begin an export. Read it within this context.

        Raises Expired when nothing of the range is kept, NotInstalled when the format's library is missing, Busy when
        too many exports are under way, and sql.errors.DatabaseError.
        """
        if self.ended or len(self._tasks) >= AT_A_TIME:
            raise Busy(f"{AT_A_TIME} exports are being made, or the service is stopping; try again")
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            made = await asyncio.to_thread(writer, question.form, question.columns)
            # Rollups take one statement per block, and all must see the same snapshot. Events take a single statement.
            several = question.of == ROLLUPS
            async with self._database.snapshot() if several else self._database.transaction() as session:
                since = await self._since(session, question)
                rows = await self._rows(session, question, since)
                yield Export(question, since, _blocks(made, rows, question.until))
        finally:
            self._tasks.discard(task)

    async def _since(self, session: Session, question: Question) -> datetime:
        """Return the start of the part of the range that is kept until the transaction ends. Raises Expired.

        When retention deletes rollups, the transaction's snapshot still shows them. When it drops days of events, they
        disappear from every snapshot. So the transaction first holds the log (R6), and then reads what is kept.
        """
        statements = self._database.statements
        if question.of == EVENTS:
            await session.rows(statements.hold_log)
        kept = since_of(await session.only(statements.read_kept), question.of)
        return first_kept(question.of, question.since, question.until, kept)

    async def _rows(self, session: Session, question: Question, since: datetime) -> AsyncIterator[Rows]:
        statements = self._database.statements
        if question.of == EVENTS:
            return event_rows(session, statements, question.columns, since, question.until, question.filters)
        shards = [row["shard"] for row in await session.rows(statements.list_shards)]
        return rollup_rows(session, statements, shards, since, question.until)


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
