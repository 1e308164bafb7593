"""Imports a file: each row becomes an event and goes into the log. A second run of the same file stores nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from service.errors import ServiceError
from service.imports.errors import NotImportable
from service.imports.formats import AUTO, Row
from service.imports.nulls import Nulls
from service.imports.rejected_rows import RejectedRows
from service.imports.rows import Rows
from service.imports.shift import shift_of
from service.imports.source import Source
from service.imports.targets import Log, Target, judging, storing
from service.ingest.event import Event
from service.ingest.outcomes import DUPLICATE, STORED, why_not_stored
from service.ingest.refusals import EventError

# This many batches of 100 rows may wait for their append while the import reads on.
_BATCHES_IN_FLIGHT = 40
# A file may have a different unknown field in each of its rows.
REASONS = 1_000


@dataclass(frozen=True, slots=True)
class Job:
    """A file to import, with the options of the command.

    form: one of FORMATS. shift_to: `now` or an ISO-8601 time. nulls: the cells of CSV that stand for an absent value.
    """

    path: Path
    form: str = AUTO
    shift_to: str | None = None
    dry_run: bool = False
    nulls: Nulls = None


@dataclass(slots=True)
class Tally:
    """The number of rows so far, by outcome.

    reasons: where the list of rejected rows is, once there is one. why: how many rows were rejected for each code and
    field, and the message of the first, for the first REASONS of these.
    """

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    reasons: Path | None = None
    why: dict[tuple[str, str | None], tuple[int, str]] = field(default_factory=dict)

    def reject(self, error: ServiceError) -> None:
        """Count a row that was rejected."""
        self.rejected += 1
        kind = (error.code, error.field)
        count, first = self.why.get(kind, (0, error.message))
        if count or len(self.why) < REASONS:
            self.why[kind] = (count + 1, first)

    def summary(self, job: Job) -> str:
        """Return one line: read = stored + duplicate + rejected, and the rows whose outcome is unknown."""
        unknown = self.read - self.stored - self.duplicate - self.rejected
        return (
            f"import: {'dry run, nothing is stored: ' if job.dry_run else ''}read {self.read:,} ="
            f" {self.stored:,} {'to store' if job.dry_run else 'stored'} + {self.duplicate:,} duplicate"
            f" + {self.rejected:,} rejected"
            f"{f' ({self._most_often()}; see {self.reasons})' if self.reasons else ''}"
            f"{f' + {unknown:,} not known to be stored' if unknown else ''}"
        )

    def _most_often(self) -> str:
        count, message = max(self.why.values())
        return f"{'all' if count == self.rejected else f'{count:,} of them'}: {message}"


async def import_file(log: Log, job: Job, tally: Tally) -> None:
    """Import a file. The tally is right at any time, even when the import ends early.

    Events that were imported before count as duplicates, so an import that ended early can simply run again. Raises
    NotImportable when the file cannot be read to its end, and sql.errors.DatabaseError when the database is away for
    longer than the log's patience.
    """
    try:
        with ExitStack() as stack:
            source = Source(stack.enter_context(job.path.open("rb")), job.path.name, job.form, job.nulls)
            shift = timedelta(0)
            if job.shift_to is not None:
                shift = await shift_of(log.database, source, job.shift_to, record=not job.dry_run)
            rows = stack.enter_context(closing(Rows(shift)))
            rejected = stack.enter_context(closing(RejectedRows(job.path)))
            async with judging(log) if job.dry_run else storing(log) as target:
                await _Run(rows, target, rejected, tally).take(source, dry_run=job.dry_run)
        if not tally.read:
            raise NotImportable("there is no event in it")
    except OSError as error:
        raise NotImportable(str(error)) from error


class _Run:
    """The batches that are being appended, in the order of the file."""

    def __init__(self, rows: Rows, target: Target, rejected: RejectedRows, tally: Tally) -> None:
        self._rows = rows
        self._target = target
        self._rejected = rejected
        self._tally = tally
        self._flying: deque[tuple[list[tuple[Row, Event | EventError]], asyncio.Task[list[str]]]] = deque()

    async def take(self, source: Source, *, dry_run: bool) -> None:
        """Take all rows of a file, then publish the rejected rows. A dry run does not remove an earlier list."""
        complete = False
        try:
            await self._take(source)
            complete = True
        finally:
            await self._cancel()
            self._tally.reasons = self._rejected.publish(complete=complete and not dry_run)

    async def _take(self, source: Source) -> None:
        broken = None
        try:
            async with aclosing(source.batches("import")) as batches:
                async for batch in batches:
                    await self._offer(batch)
        except NotImportable as error:
            broken = error
        while self._flying:
            await self._settle()
        if broken is not None:
            raise broken

    async def _cancel(self) -> None:
        tasks = [task for _, task in self._flying]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _offer(self, batch: list[Row]) -> None:
        self._tally.read += len(batch)
        judged = [(row, self._rows.event(row)) for row in batch]
        events = [event for _, event in judged if isinstance(event, Event)]
        self._flying.append((judged, asyncio.create_task(self._target(events))))
        if len(self._flying) == _BATCHES_IN_FLIGHT:
            await self._settle()

    async def _settle(self) -> None:
        """Wait for the oldest batch and count its outcomes."""
        judged, task = self._flying[0]
        outcomes = iter(await task)
        self._flying.popleft()
        for row, event in judged:
            if isinstance(event, EventError):
                self._reject(row, event)
            else:
                self._count(row, next(outcomes))

    def _count(self, row: Row, outcome: str) -> None:
        if outcome == STORED:
            self._tally.stored += 1
        elif outcome == DUPLICATE:
            self._tally.duplicate += 1
        else:
            self._reject(row, why_not_stored(outcome))

    def _reject(self, row: Row, error: ServiceError) -> None:
        self._tally.reject(error)
        self._rejected.add(row, error.code, error.message, error.field)
