"""Gives the events of kept days from their files to PostgreSQL, which verifies and regenerates their rollups (R10)."""

from __future__ import annotations

import glob
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import duckdb
from duckdb import ColumnExpression, ConstantExpression, Expression

from projections.archive.contents import Contents
from projections.archive.identity import check_archive
from projections.archive.numbers import BEGINNING, HOUR, Numbers, count_file, numbers_of
from projections.archive.proof import ArchivedFile, contradiction
from projections.archive.thread import in_thread
from projections.archive.writer import MEMORY, THREADS
from sql.archive.duck import connect, statement
from sql.archive.rows import read_files
from sql.database import Session
from sql.digest import digest_text
from sql.statements import load

# The transaction waits while a whole file is read.
PATIENT = {"idle_in_transaction_session_timeout": "0"}
ROWS_AT_ONCE = 20_000
# Events have up to a megabyte of properties.
EVENTS_AT_ONCE = 1_000
NOTHING = Numbers(0, 0, 0, 0)


class NotChecked(OSError):
    """The events of a kept hour could not be read, for a reason that says nothing about its file."""


@dataclass(frozen=True, slots=True)
class KeptHour:
    """An hour whose day is kept: only the archive has its events.

    file: what the catalog says of the file that holds it; None when none does. wrong: why its events cannot be had from
    there; None when they can. numbers: of the events in the file.
    """

    shard: int
    start: datetime
    file: ArchivedFile | None
    wrong: str | None
    numbers: Numbers = NOTHING


class KeptHours:
    """Reads kept hours. A file is read whole once, however many of its hours are asked for.

    archive: None when it cannot be used; then NotChecked is raised for every kept hour. Close it when it has one.
    """

    def __init__(self, archive: Path | None = None) -> None:
        self.contents = None if archive is None else Contents(archive)
        self._opened = ExitStack()
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._folder = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one statement; what it cannot keep in memory goes to a folder."""
        if self._duck is None:  # to open one takes as long as counting a hundred thousand events
            self._folder = Path(self._opened.enter_context(TemporaryDirectory(prefix="hourledger-")))
            self._duck = self._opened.enter_context(closing(connect(self._folder, MEMORY, THREADS)))
        return self._duck.cursor()

    async def read(self, session: Session, shard: int, start: datetime) -> KeptHour | None:
        """Return an hour, judged by its file; None when its day is not kept.

        The day stays kept, and the file stays where it is, until the transaction ends. Raises NotTheArchive, NotChecked
        and other OSErrors when the archive cannot be used.
        """
        rows = await session.rows(load().read_kept_hour, shard, start)
        if not rows:
            return None
        (row,) = rows
        archive = self._contents().archive
        await check_archive(session, archive)
        if row["file"] is None:
            lost = "no file of the archive holds the hour" if row["appended"] else None
            return KeptHour(shard, start, None, lost)
        await session.configure(PATIENT)
        file = ArchivedFile(row["file"], shard, row["bytes"], row["file_events"], None, True, {start: numbers_of(row)})
        kept = await self._judged(file, start)
        if kept.wrong:
            # The disk may have gone meanwhile, which says nothing about the file.
            await check_archive(session, archive)
        return kept

    async def load(self, session: Session, shard: int, start: datetime) -> KeptHour | None:
        """Read an hour as `read` does. PostgreSQL counts its events until the transaction ends, unless it is wrong."""
        kept = await self.read(session, shard, start)
        if kept is None or kept.wrong:
            return kept
        await session.rows(load().make_hours_from_files)
        await session.rows(load().make_counts_from_files)
        counted, why = 0, "its events are other ones"
        try:
            if kept.file is not None:
                is_judged = await self._is_judged(session, kept, kept.file)
                put = self._put_events if is_judged else self._put_counts
                counted = await put(session, kept, kept.file)
        except duckdb.Error as error:
            counted, why = -1, " ".join(str(error).split())
        if counted != kept.numbers.events:
            return await self._not_counted(kept, why)
        await session.rows(load().put_hour_from_file, shard, start, kept.numbers.events, *_sums(kept.numbers))
        return kept

    async def numbers_until(self, kept: KeptHour, position: int, received: datetime) -> Numbers:
        """Return the numbers of an hour's events up to a position that were received by a moment."""
        known = (ColumnExpression("position") <= ConstantExpression(position)) & (
            ColumnExpression("received_at") <= ConstantExpression(received)
        )
        return await in_thread(partial(self._numbers_of, kept, known))

    async def half_digest(self, kept: KeptHour, position: int, at: datetime) -> str:
        """Return the first half of the digest of the event at a position and timestamp, in hex; zeros without one."""
        this = (ColumnExpression("position") == ConstantExpression(position)) & (
            ColumnExpression("timestamp") == ConstantExpression(at)
        )
        numbers = await in_thread(partial(self._numbers_of, kept, this))
        return digest_text(*_sums(numbers)[1:])

    async def _judged(self, file: ArchivedFile, start: datetime) -> KeptHour:
        contents = self._contents()
        content = await in_thread(partial(contents.of, file.file, file.bytes))
        wrong = content.wrong or contradiction(file, content)
        return KeptHour(file.shard, start, file, wrong, content.hours.get((file.shard, start), NOTHING))

    async def _is_judged(self, session: Session, kept: KeptHour, file: ArchivedFile) -> bool:
        """Return whether PostgreSQL must judge each event of an hour. Raises duckdb.Error."""
        row = await session.only(load().is_judged_hour, kept.shard, kept.start)
        if row["is_quarantined"] or row["refused_from"] is None:
            return bool(row["is_quarantined"])
        with closing(await in_thread(self._cursor)) as duck:
            await in_thread(partial(duck.execute, statement("last_position"), self._place(kept, file)), duck)
            ((last,),) = await in_thread(duck.fetchall, duck)
        return bool(last is not None and last >= row["refused_from"])

    def _place(self, kept: KeptHour, file: ArchivedFile) -> dict[str, object]:
        """Return where the events of an hour are in a file, as statements of DuckDB take it."""
        path = glob.escape(str(self._contents().archive / file.file))
        return {"file": path, "shard": kept.shard, "since": kept.start, "until": kept.start + HOUR}

    async def _put_counts(self, session: Session, kept: KeptHour, file: ArchivedFile) -> int:
        """Put the counts of an hour into PostgreSQL; return how many events were counted. Raises duckdb.Error."""
        counted = 0
        with closing(await in_thread(self._cursor)) as duck:
            await in_thread(partial(duck.execute, statement("count_alike"), self._place(kept, file)), duck)
            while rows := await in_thread(partial(duck.fetchmany, ROWS_AT_ONCE), duck):
                columns = [list(column) for column in zip(*rows, strict=True)]
                await session.rows(load().put_counts_from_file, kept.shard, kept.start, *columns)
                counted += sum(row[-1] for row in rows if row[4] is None)  # of events, not of sessions
        return counted

    async def _put_events(self, session: Session, kept: KeptHour, file: ArchivedFile) -> int:
        """Let PostgreSQL count the events of an hour that no quarantine leaves out; return how many events there are.

        It alone says which these are, and which of their names count as (other). Raises duckdb.Error.
        """
        read = 0
        with closing(await in_thread(self._cursor)) as duck:
            place = glob.escape(str(self._contents().archive / file.file))
            values = {"file": place, "hours": [(kept.start - BEGINNING) // HOUR]}
            await in_thread(partial(duck.execute, statement("read_events"), values), duck)
            while rows := await in_thread(partial(duck.fetchmany, EVENTS_AT_ONCE), duck):
                _, positions, _, *columns, moments, _ = map(list, zip(*rows, strict=True))
                at = [BEGINNING + timedelta(microseconds=moment) for moment in moments]
                await session.rows(load().put_events_from_file, kept.shard, kept.start, *columns, at, positions)
                read += len(rows)
        return read

    async def _not_counted(self, kept: KeptHour, why: str) -> KeptHour:
        """Return the hour when its file is to blame. Raises NotChecked when it is not."""
        if kept.file is not None:
            self._contents().forget(kept.file.file)
            again = await self._judged(kept.file, kept.start)
            if again.wrong:
                return again
        raise NotChecked(f"the events of hour {kept.start:%Y-%m-%dT%H:%MZ} could not be counted: {why}")

    def _numbers_of(self, kept: KeptHour, condition: Expression) -> Numbers:
        """Return the numbers of an hour's events that fulfil a condition."""
        if kept.file is None:
            return NOTHING
        with closing(self._cursor()) as duck:
            part = self._folder / "part.parquet"
            read_files(duck, [self._contents().archive / kept.file.file]).filter(condition).write_parquet(str(part))
            return count_file(duck, part).get((kept.shard, kept.start), NOTHING)

    def _contents(self) -> Contents:
        if self.contents is None:
            raise NotChecked("the archive, which alone has the events of some hours, cannot be used here")
        return self.contents


def _sums(numbers: Numbers) -> tuple[Decimal, Decimal, Decimal]:
    return Decimal(numbers.position_sum), Decimal(numbers.digest_high), Decimal(numbers.digest_low)
