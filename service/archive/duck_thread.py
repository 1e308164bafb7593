"""DuckDB in a thread of the child, so that the child hears its worker meanwhile and can interrupt it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TypeVar

import duckdb

from service.archive.disk_share import rounded
from service.archive.failures import NO_ROOM, TOO_LARGE
from service.errors import DiskFull, ReadTooLarge
from sql.archive import duck
from sql.archive.interruption import result_of
from sql.archive.rows import TooManyRows

# Two children together stay below 1.5 GB: DuckDB's own bound, and about 100 MB for Python and what it does not count.
MEMORY = "600MB"
THREADS = 2
# The most bytes of temporary files.
TEMPORARY = 8_000_000_000
# How DuckDB and Python tell of it.
DISK_FULL = os.strerror(errno.ENOSPC)

Result = TypeVar("Result")


@contextmanager
def translated() -> Iterator[None]:
    """Raise errors of bounds as errors of the service."""
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError, TooManyRows) as error:
        raise ReadTooLarge(TOO_LARGE) from error
    except (duckdb.IOException, OSError) as error:
        if DISK_FULL not in str(error):
            raise
        raise DiskFull(NO_ROOM) from error


class DuckThread:
    """One thread and one connection, because that takes one statement at a time.

    folder: where temporary files go. temporary: the most bytes of them. stopped: set while the work is to end.
    """

    def __init__(self, folder: Path, temporary: int = TEMPORARY) -> None:
        self.stopped = Event()
        self._folder = folder
        self._temporary = rounded(temporary)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duckdb")

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, opened when it is first needed."""
        if self._connection is None:
            # Where order matters, statements sort, or read by one thread; all else may run in parallel.
            self._connection = duck.connect(self._folder, MEMORY, THREADS, temporary=self._temporary, ordered=False)
        return self._connection

    def allow(self, temporary: int) -> None:
        """Change the most bytes of temporary files, between two works. DuckDB's bounds are locked, so open it anew."""
        if rounded(temporary) != self._temporary:
            self.rest()
            self._temporary = rounded(temporary)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns. Cancelled, interrupt it, and return when it has ended."""
        self.stopped.clear()
        return await result_of(asyncio.get_running_loop().run_in_executor(self._thread, work), self._stop)

    def _stop(self) -> None:
        self.stopped.set()
        if self._connection is not None:
            self._connection.interrupt()

    def rest(self) -> None:
        """Give back the memory that DuckDB keeps for the next statement."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """End the thread and the connection."""
        self._thread.shutdown()
        self.rest()
