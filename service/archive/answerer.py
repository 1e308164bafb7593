"""Answers a question from one snapshot: files where the archive is current, rows elsewhere. Runs in the child."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import duckdb
import msgspec

from service.archive.answers import ASKED, answer
from service.archive.checked_files import CheckedFiles
from service.archive.checks import names_of_checks
from service.archive.child import Found
from service.archive.disk_share import DiskShare
from service.archive.duck_thread import TEMPORARY, DuckThread, translated
from service.archive.measure_questions import Numbers, Visits
from service.archive.names import NOTHING_REFUSED, RefusedNames, read_refused_names
from service.archive.parts import parts_of
from service.archive.processors import Processors
from service.archive.protocol import Begin, Row
from service.archive.quarantines import Quarantine, columns_read, read_quarantines
from service.archive.questions import Trend
from service.archive.row_table import MOST_ROW_BYTES, RowTable
from service.archive.snapshot import Plan, Selection, Stretch, read_plan, read_standings, rows_query, shards_of
from service.archive.source import Part
from service.archive.sources import ARCHIVE, BOTH, EVENTS
from service.archive.timing import Steps
from service.questions.hours import FIRST
from sql.database import Database, Session
from sql.errors import Lost
from sql.snapshots import taking_over
from sql.statements import load


class Question(Protocol):
    """What every question says about the events that it needs."""

    @property
    def snapshot(self) -> str | None:
        """A snapshot that another transaction lends; None for a new one."""

    @property
    def shards(self) -> tuple[int, ...] | None:
        """The shards that have them; None for all."""

    @property
    def range(self) -> tuple[datetime | None, datetime]:
        """Their start, None for the first event, and their end."""

    @property
    def leaves_out_quarantined(self) -> bool:
        """Whether quarantined ones are none of them."""

    def needs(self) -> Collection[str]:
        """Return the columns that it needs."""

    def texts(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """Return paths at which each must have one of some texts."""

    def property_names(self) -> Collection[str] | None:
        """Return the names at the top level of properties that it looks at; None for all."""

    def counted_names(self) -> Sequence[str]:
        """Return the kinds of names that it counts by."""


Answer = Callable[[duckdb.DuckDBPyConnection, Sequence[Part], Any], list[Row]]


@dataclass(frozen=True, slots=True)
class Questions:
    """What an answerer answers.

    kinds: the union of the types of questions. answer: returns the rows of an answer. with_standing: the types whose
    answer tells where the shards stand, too.
    """

    kinds: Any
    answer: Answer
    with_standing: tuple[type, ...] = ()


ALL = Questions(ASKED, answer, (Trend, Visits, Numbers))


class SnapshotAnswerer:
    """Answers one question at a time. temporary: the most bytes of DuckDB's temporary files."""

    def __init__(self, begin: Begin, questions: Questions = ALL, temporary: int = TEMPORARY) -> None:
        self._database = self._connect(begin)
        self._begin = begin
        self._questions = questions
        self._decoder = msgspec.msgpack.Decoder(questions.kinds)
        self._folder = Path(begin.folder)
        self._temporary = temporary
        self._duck = DuckThread(self._folder, temporary)
        self._files = CheckedFiles(Path(begin.archive), self._duck.stopped)
        self._processors = Processors()

    async def close(self) -> None:
        """Close what it has opened."""
        await self._database.close()
        self._duck.close()

    def rest(self) -> None:
        """Give back memory while there is no question."""
        self._duck.rest()

    async def answer(self, question: bytes) -> Found:
        """Return the answer to an encoded question. Raises ServiceError, sql.errors.DatabaseError and duckdb.Error."""
        asked: Question = self._decoder.decode(question)
        with translated():
            return await self._answer_again(asked)

    async def _answer_again(self, asked: Question) -> Found:
        """Return the answer, from another connection when the first one is lost."""
        try:
            return await self._answer(asked)
        except Lost:
            # A server that was restarted since the last question. Nothing was changed, so ask the new one.
            with suppress(Exception):
                await self._database.close()
            self._database = self._connect(self._begin)
            return await self._answer(asked)

    async def _answer(self, question: Question) -> Found:
        steps = Steps()
        began = perf_counter()
        share = DiskShare.of(Path(self._begin.scratch), self._begin.children)
        # No day may leave the rows between the plan and the copy of its rows, because no snapshot shows them then (R6).
        first = load().hold_log if question.snapshot is None else taking_over(question.snapshot)
        async with self._database.snapshot(first=first) as session:
            self._processors.heed((await session.only(load().sum_heads))["positions"])
            steps.add("snapshot", perf_counter() - began)
            asked = Asked(session, question, steps, await shards_of(session, question.shards))
            if question.leaves_out_quarantined:
                asked.quarantines = await read_quarantines(session, asked.shards, asked.range)
            kinds = question.counted_names()
            asked.names = await read_refused_names(session, asked.shards, asked.range, kinds, self._folder, share)
            try:
                while True:
                    plan = await self._plan(asked)
                    rows, source = await self._answer_from(asked, plan, share)
                    if rows is not None:
                        break
            finally:
                asked.names.remove()
            if isinstance(question, self._questions.with_standing):
                rows += await read_standings(session, asked.shards)
        return Found(rows, source, steps.seconds, sorted(asked.wrong))

    async def _plan(self, asked: Asked) -> Plan:
        """Return a plan whose files are all right; others are read as rows. Raises ArchiveDamaged."""
        while True:
            with asked.steps.step("snapshot"):
                plan = await read_plan(asked.session, asked.shards, asked.range, asked.wrong)
            with asked.steps.step("files"):
                wrong = await self._duck.run(partial(self._files.wrong, plan.names))
            if not wrong:
                return plan
            asked.wrong |= wrong

    async def _answer_from(self, asked: Asked, plan: Plan, share: DiskShare) -> tuple[list[Row] | None, str]:
        """Return the rows of the answer, None when a file has changed meanwhile, and the source."""
        self._duck.allow(share.bounded(self._temporary))
        table = RowTable(self._duck, self._folder, asked.selection.columns)
        try:
            with share.named(self._temporary, rows=MOST_ROW_BYTES):
                with asked.steps.step("rows"):
                    has_rows = await self._fill(asked, plan, table, share.bounded(MOST_ROW_BYTES))
                source = (BOTH if has_rows else ARCHIVE) if plan.files else EVENTS
                # Without files, the table is what there is to read, even if it is empty.
                rows = table if has_rows or not plan.files else None
                with asked.steps.step("query"):
                    return await self._duck.run(partial(self._query, asked, plan, rows)), source
        finally:
            await self._duck.run(table.drop)

    async def _fill(self, asked: Asked, plan: Plan, table: RowTable, most: int) -> bool:
        """Read what is in no file as rows; return whether there are any."""
        if not plan.gaps and plan.files:
            return False
        query, given = rows_query(plan.gaps, asked.selection)
        return await table.fill(lambda write: asked.session.copy_out(write, query, *given), most)

    def _query(self, asked: Asked, plan: Plan, table: RowTable | None) -> list[Row] | None:
        """Return the rows of the answer, None when a file has changed meanwhile. Runs in the thread."""
        try:
            rows = None if table is None else table.events()
            found = parts_of(self._duck.connection, self._files, plan, rows)
            names = asked.names.opened(self._duck.connection)
            parts = [replace(part, quarantines=asked.quarantines, names=names) for part in found]
            answer = self._questions.answer(self._duck.connection, parts, asked.question)
        except (duckdb.OutOfMemoryException, duckdb.InterruptException):
            raise
        except duckdb.Error:
            # A failing disk may give other bytes than before for an unchanged file.
            self._files.forget(plan.names)
            if self._files.wrong(plan.names):
                return None
            raise
        return None if self._files.changed(plan.names) else answer

    @staticmethod
    def _connect(begin: Begin) -> Database:
        return Database(begin.url, connections=1, statement_seconds=begin.seconds, read_only=True, plan_each=True)


@dataclass(slots=True)
class Asked:
    """A question under way.

    shards: those whose events are asked for. wrong: the files that turned out to be wrong. quarantines: those that
    leave out some of the events. names: which names count as (other).
    """

    session: Session
    question: Question
    steps: Steps
    shards: Sequence[int]
    wrong: set[str] = field(default_factory=set)
    quarantines: tuple[Quarantine, ...] = ()
    names: RefusedNames = NOTHING_REFUSED

    @property
    def range(self) -> Stretch:
        """The time of the events that the question asks about."""
        since, until = self.question.range
        return Stretch(FIRST if since is None else since, until)

    @property
    def selection(self) -> Selection:
        """What to read as rows: what the question looks at, and what quarantines and refused names do."""
        question, checks = self.question, [check for each in self.quarantines for check in each.checks]
        names = question.property_names()
        return Selection(
            {*question.needs(), *columns_read(self.quarantines), *self.names.columns},
            question.texts(),
            None if names is None else {*names, *names_of_checks(checks)},
        )
