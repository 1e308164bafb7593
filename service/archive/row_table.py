"""Rows of the log as a table of DuckDB, which reads some of them while PostgreSQL still sends the next ones."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path
from typing import BinaryIO

from duckdb import DuckDBPyRelation

from service.archive.duck_thread import DuckThread
from service.archive.json_text import call, constant
from service.archive.parts import read_events
from service.archive.source import without_session
from service.archive.streams import column
from sql.archive.duck import statement
from sql.archive.files import COLUMNS, ROW_COLUMNS
from sql.archive.rows import TooManyRows

# The most bytes of rows that one question may copy.
MOST_ROW_BYTES = 4_000_000_000
# About what is read at a time: a file of its own costs a millisecond, and one of this size is read in 20.
PIECE_BYTES = 2_000_000
# The line of names that the rows begin with.
_HEADER_BYTES = len(",".join(ROW_COLUMNS)) + 1
_TABLE = "log_rows"

Write = Callable[[bytes], Awaitable[None]]


class _LoadFailed(OSError):
    """DuckDB could not read some of the rows, so that the others need not come."""


class RowTable:
    """The rows of one question. folder: where they wait for DuckDB. columns: those that the question needs."""

    def __init__(self, thread: DuckThread, folder: Path, columns: Collection[str]) -> None:
        self._thread = thread
        self._folder = folder
        self._columns = sorted({"shard", "timestamp"} | without_session(columns))
        self._pieces = 0
        self._piece: BinaryIO | None = None
        self._bytes = 0
        self._loading: asyncio.Task[None] | None = None

    async def fill(self, copy: Callable[[Write], Awaitable[None]], most: int = MOST_ROW_BYTES) -> bool:
        """Read the rows that `copy` writes as CSV, whole rows at a time; return whether there are any.

        Raises TooManyRows when they have more than `most` bytes, duckdb.Error, and what `copy` raises.
        """
        try:
            await copy(partial(self._write, most))
            await self._load()
            await self._loaded()
        except _LoadFailed as failed:
            raise failed.__cause__ or failed from None
        finally:
            await self._stop()
        return self._bytes > _HEADER_BYTES

    def events(self) -> DuckDBPyRelation:
        """Return the events with all columns of the archive's files, null where the question does not need them.

        Their sessions' digests are made when they are read.
        """
        columns = {name: column(name) for name in self._columns}
        if "session_id" in columns:
            columns["session"] = call("session_of", column("session_id"))
        return self._thread.connection.table(_TABLE).select(
            *(columns.get(name, constant(None).cast(kind)).alias(name) for name, kind in COLUMNS.items())
        )

    def drop(self) -> None:
        """Drop the table, if there is one."""
        if self._pieces:
            self._thread.connection.execute(statement("drop_rows"))

    async def _write(self, most: int, data: bytes) -> None:
        if self._bytes + len(data) > most:
            raise TooManyRows(errno.ENOSPC, f"the rows need more than the {most:,} bytes that they may take")
        if self._piece is None:
            self._piece = self._place(self._pieces).open("wb")
        self._bytes += self._piece.write(data)
        if self._piece.tell() >= PIECE_BYTES:
            await self._load()

    async def _load(self) -> None:
        """Let DuckDB read what was written, once it has read what was before."""
        if self._piece is None:
            return
        self._piece.close()
        self._piece = None
        await self._loaded()
        self._loading = asyncio.create_task(self._thread.run(partial(self._read, self._pieces)))
        self._pieces += 1

    async def _loaded(self) -> None:
        """Wait for DuckDB. Raises _LoadFailed, because a driver that copies takes errors of files alone."""
        if self._loading is None:
            return
        try:
            await self._loading
        except Exception as error:
            raise _LoadFailed(str(error)) from error

    def _read(self, number: int) -> None:
        """Read one of the files. Runs in the thread."""
        place = self._place(number)
        rows = read_events(self._thread.connection, place, header=number == 0).select(*map(column, self._columns))
        if number:
            rows.insert_into(_TABLE)
        else:
            self._thread.connection.execute(statement("drop_rows"))
            rows.to_table(_TABLE)
        place.unlink()

    async def _stop(self) -> None:
        """End what is under way, and delete its files."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait({self._loading})
            if not self._loading.cancelled():
                self._loading.exception()  # `fill` has raised it, or something that came before
        if self._piece is not None:
            self._piece.close()
        for number in range(self._pieces + 1):
            self._place(number).unlink(missing_ok=True)

    def _place(self, number: int) -> Path:
        return self._folder / f"rows-{number}.csv"
