"""Imports a file: each row becomes an event and goes into the log. A second run of the same file stores nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from service.console import progress, switched_on
from service.errors import Expired, ServiceError
from service.imports.errors import NotImportable
from service.imports.formats import AUTO, Row
from service.imports.history import Days, History, forecast
from service.imports.nulls import Nulls
from service.imports.rejected_rows import RejectedRows
from service.imports.rows import Rows
from service.imports.shift import shift_of
from service.imports.source import Source
from service.imports.targets import Log, Target, judging, storing
from service.imports.waiting_rows import WaitingRows, day_of
from service.ingest.event import Event
from service.ingest.outcomes import DUPLICATE, EXPIRED, STORED, why_not_stored
from service.ingest.refusals import EventError

# This many batches of 100 rows may wait for their append while the import reads on.
_BATCHES_IN_FLIGHT = 40
_BATCH_ROWS = 100
# A file may have a different unknown field in each of its rows.
REASONS = 1_000


@dataclass(frozen=True, slots=True)
class Job:
    """A file to import, with the options of the command.

    form: one of FORMATS. shift_to: `now` or an ISO-8601 time. nulls: the cells of CSV that stand for an absent value.
    history: brings in rows that are older than the log takes; None rejects them.
    """

    path: Path
    form: str = AUTO
    shift_to: str | None = None
    dry_run: bool = False
    nulls: Nulls = None
    history: History | None = None


@dataclass(slots=True)
class Tally:
    """The number of rows so far, by outcome.

    waiting: rows of history that are not brought in yet. reasons: where the list of rejected rows is, once there is
    one. why: how many rows were rejected for each code and field, and the message of the first, for the first REASONS
    of these.
    """

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    waiting: int = 0
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
        unknown = self.read - self.stored - self.duplicate - self.rejected - self.waiting
        too_old = 0 if job.history else sum(count for (code, _), (count, _) in self.why.items() if code == Expired.code)
        asked = switched_on("history")
        return (
            f"import: {'dry run, nothing is stored: ' if job.dry_run else ''}read {self.read:,} ="
            f" {self.stored:,} {'to store' if job.dry_run else 'stored'} + {self.duplicate:,} duplicate"
            f" + {self.rejected:,} rejected"
            f"{f' ({self._most_often()}; see {self.reasons})' if self.reasons else ''}"
            f"{f' + {self.waiting:,} of history' if self.waiting else ''}"
            f"{f' + {unknown:,} not known to be stored' if unknown else ''}"
            f"{f'; {asked} brings in the {too_old:,} that are too old' if too_old else ''}"
        )

    def _most_often(self) -> str:
        count, message = max(self.why.values())
        return f"{'all' if count == self.rejected else f'{count:,} of them'}: {message}"


async def import_file(log: Log, job: Job, tally: Tally) -> None:
    """Import a file. The tally is right at any time, even when the import ends early.

    Events that were imported before count as duplicates, so an import that ended early can simply run again. Raises
    NotImportable when the file cannot be read to its end, or a day cannot be opened or closed, and
    sql.errors.DatabaseError when the database is away for longer than the log's patience.
    """
    try:
        with ExitStack() as stack:
            source = Source(stack.enter_context(job.path.open("rb")), job.path.name, job.form, job.nulls)
            shift = timedelta(0)
            if job.shift_to is not None:
                shift = await shift_of(log.database, source, job.shift_to, record=not job.dry_run)
            rows = stack.enter_context(closing(Rows(shift)))
            rejected = stack.enter_context(closing(RejectedRows(job.path)))
            waiting = stack.enter_context(closing(WaitingRows()))
            await _Run(log, job, rows, rejected, waiting, tally).take(source)
        if not tally.read:
            raise NotImportable("there is no event in it")
    except OSError as error:
        raise NotImportable(str(error)) from error


class _Run:
    """The batches that are being appended, in the order of the file, and then those of history, day after day."""

    def __init__(
        self, log: Log, job: Job, rows: Rows, rejected: RejectedRows, waiting: WaitingRows, tally: Tally
    ) -> None:
        self._log = log
        self._job = job
        self._rows = rows
        self._rejected = rejected
        self._waiting = waiting
        self._tally = tally
        self._brings_in = False
        # Of the days that the log has refused. Its horizon never moves back.
        self._newest_refused = date.min
        self._flying: deque[tuple[Sequence[tuple[Row, Event | EventError]], asyncio.Task[list[str]]]] = deque()

    async def take(self, source: Source) -> None:
        """Take all rows of a file, then publish the rejected rows. A dry run does not remove an earlier list."""
        complete = False
        try:
            await self._take(source)
            complete = True
        finally:
            await self._cancel()
            self._tally.reasons = self._rejected.publish(complete=complete and not self._job.dry_run)

    async def _take(self, source: Source) -> None:
        broken = None
        async with judging(self._log) if self._job.dry_run else storing(self._log) as target:
            try:
                async with aclosing(source.batches("import")) as batches:
                    async for batch in batches:
                        self._tally.read += len(batch)
                        await self._offer([(row, self._rows.event(row)) for row in batch], target)
            except NotImportable as error:
                broken = error
            await self._settle_all()
        if self._job.history is not None:
            await self._bring_in(self._job.history)
        if broken is not None:
            raise broken

    async def _cancel(self) -> None:
        tasks = [task for _, task in self._flying]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _bring_in(self, history: History) -> None:
        """Bring in the rows that wait, the oldest day first. Close the days that an earlier import left open."""
        for sentence in await forecast(self._log.database, self._waiting.counts):
            history.tell(sentence)
        if self._job.dry_run:
            return
        self._brings_in = True
        async with history.days() as days:
            for day in await days.left():
                if day not in self._waiting.counts:
                    await days.close(day)
            with progress("history", self._tally.waiting, "rows") as meter:
                for day, count in sorted(self._waiting.counts.items()):
                    await self._bring_in_day(day, days)
                    meter.advance(count)

    async def _bring_in_day(self, day: date, days: Days) -> None:
        why = await days.open(day)
        if why is not None:
            error = Expired(f"{day} cannot take history: {why}", "timestamp")
            for row, _ in self._waiting.rows(day):
                self._tally.waiting -= 1
                self._reject(row, error)
            return
        async with storing(replace(self._log, opened_day=day)) as target:
            for batch in self._waiting.batches(day, _BATCH_ROWS):
                self._tally.waiting -= len(batch)
                await self._offer(batch, target)
            await self._settle_all()
        await days.close(day)

    async def _offer(self, judged: Sequence[tuple[Row, Event | EventError]], target: Target) -> None:
        events = [event for _, event in judged if isinstance(event, Event)]
        self._flying.append((judged, asyncio.create_task(self._outcomes(events, target))))
        if len(self._flying) == _BATCHES_IN_FLIGHT:
            await self._settle()

    async def _outcomes(self, events: Sequence[Event], target: Target) -> list[str]:
        """Return the outcome of each event. What is surely history need not be offered to the log."""
        if self._job.history is None or self._brings_in:
            return await target(events)
        days, refused = [day_of(event) for event in events], self._newest_refused
        answers = iter(await target([event for event, day in zip(events, days, strict=True) if day > refused]))
        outcomes = [next(answers) if day > refused else EXPIRED for day in days]
        expired = [day for day, outcome in zip(days, outcomes, strict=True) if outcome == EXPIRED]
        self._newest_refused = max([self._newest_refused, *expired])
        return outcomes

    async def _settle_all(self) -> None:
        while self._flying:
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
                self._count(row, event, next(outcomes))

    def _count(self, row: Row, event: Event, outcome: str) -> None:
        if outcome == STORED:
            self._tally.stored += 1
        elif outcome == DUPLICATE:
            self._tally.duplicate += 1
        elif outcome == EXPIRED and self._job.history is not None and not self._brings_in:
            self._waiting.add(row, event)
            self._tally.waiting += 1
        else:
            self._reject(row, why_not_stored(outcome))

    def _reject(self, row: Row, error: ServiceError) -> None:
        self._tally.reject(error)
        self._rejected.add(row, error.code, error.message, error.field)
