"""Exports of events and rollups: all rows of a range, as they are at one moment, in flat memory whatever their number.

An export has a connection of its own for as long as it takes. The rest of the reads, and all that is written, never
waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from service.errors import unavailable
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
from service.questions.parameters import choice, closed_range, invalid, switch, time_text
from service.questions.segments import Segments
from service.reports.counts import EVENTS, ROLLUPS
from service.reports.kept_range import FIRST, first_kept
from sql.database import Database, Session

AT_A_TIME = 2
# The longest that a chunk of rows may take to be found. A filter that few events pass may look through many.
STATEMENT_SECONDS = 300
DEFAULT_HOURS = 168
PARAMETERS = NAMES | {"format", "of", "hours", "from", "to", "received_at"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for."""

    of: str
    form: str
    since: datetime
    until: datetime
    filters: Filters
    columns: Columns


@dataclass(frozen=True, slots=True)
class Block:
    """The next bytes of an export, how many rows are in it, and up to where the range has been read with it."""

    content: bytes
    rows: int
    upto: datetime


@dataclass(frozen=True, slots=True)
class Export:
    """An export that has begun; `since` is later than asked for where less is kept."""

    question: Question
    since: datetime
    blocks: AsyncIterator[Block]

    @property
    def headers(self) -> dict[str, str]:
        """Return what an answer says of it."""
        since, until = self.since, self.question.until
        name = f"{self.question.of}-{since:%Y%m%dT%H}Z-{until:%Y%m%dT%H}Z.{self.question.form}"
        return {
            "content-type": MEDIA_TYPES[self.question.form],
            "content-disposition": f'attachment; filename="{name}"',
            "x-hourledger-from": time_text(since),
            "x-hourledger-to": time_text(until),
            "cache-control": "no-store",
        }


class Exports:
    """Makes exports, few at a time. `end` ends those that are being made; `close` closes the connections."""

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
        """End the exports that are being made, and begin no more."""
        self.ended = True
        for task in self._tasks:
            if task is not None:
                task.cancel()

    async def question(self, given: Mapping[str, str]) -> Question:
        """Return what the parameters ask for. Raises ApiError 400."""
        of = choice(given, "of", (EVENTS, ROLLUPS), EVENTS)
        columns: Columns = ROLLUP_COLUMNS
        if of == EVENTS:
            columns = EVENT_COLUMNS | (RECEIVED_AT if switch(given, "received_at", default=False) else {})
        elif other := sorted(given.keys() & (NAMES | {"received_at"})):
            raise invalid(other[0], "is of events: rollups are exported whole")
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        form = choice(given, "format", FORMATS, CSV)
        return Question(of, form, since, until, await self._segments.filters(given), columns)

    @asynccontextmanager
    async def begun(self, question: Question) -> AsyncIterator[Export]:
        """Begin an export, which ends with this.

        Raises ApiError 422 when nothing of the range is kept, 501 when the format is not installed, 503 when too many
        are being made, and sql.errors.DatabaseError.
        """
        if self.ended or len(self._tasks) >= AT_A_TIME:
            raise unavailable(f"{AT_A_TIME} exports are being made, or the service is stopping; ask again")
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            made = await asyncio.to_thread(writer, question.form, question.columns)
            # Rollups are read a block at a time, events by one statement.
            several = question.of == ROLLUPS
            async with self._database.snapshot() if several else self._database.transaction() as session:
                since = await self._since(session, question)
                rows = await self._rows(session, question, since)
                yield Export(question, since, _blocks(made, rows, question.until))
        finally:
            self._tasks.discard(task)

    async def _since(self, session: Session, question: Question) -> datetime:
        """Return since when all of the range is kept, and will be until the transaction ends.

        Rollups are deleted, which the transaction's snapshot does not see. Days of events are dropped, which every
        snapshot sees: they are held first (R6), and what is kept is looked at by a later statement.
        """
        statements = self._database.statements
        if question.of == EVENTS:
            await session.rows(statements.hold_log)
        kept = (await session.only(statements.read_kept))[f"{question.of}_since"] or FIRST
        return first_kept(question.of, question.since, question.until, kept)

    async def _rows(self, session: Session, question: Question, since: datetime) -> AsyncIterator[Rows]:
        statements = self._database.statements
        if question.of == EVENTS:
            return event_rows(session, statements, question.columns, since, question.until, question.filters)
        shards = [row["shard"] for row in await session.rows(statements.list_shards)]
        return rollup_rows(session, statements, shards, since, question.until)


async def _blocks(made: Writer, rows: AsyncIterator[Rows], until: datetime) -> AsyncIterator[Block]:
    begin = made.begin()
    async for some in rows:
        # Not here: others are answered meanwhile.
        content = await asyncio.to_thread(made.rows, some.rows)
        yield Block(begin + content, len(some.rows), some.upto)
        begin = b""
    yield Block(await asyncio.to_thread(made.end), 0, until)
