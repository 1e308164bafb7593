"""Runs DuckDB in a thread of its own, which gives way to everything else."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import duckdb

from sql.archive.interruption import result_of

T = TypeVar("T")
NICENESS = 10


def _give_way() -> None:
    # On Linux threads have a priority each; elsewhere the number would be that of some process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive", initializer=_give_way)


async def in_thread(work: Callable[[], T], connection: duckdb.DuckDBPyConnection | None = None) -> T:
    """Do `work` in the thread. When this is cancelled, end the statement of the connection and wait for the thread."""

    def interrupt() -> None:
        if connection is not None:
            connection.interrupt()  # one statement; the work may begin another

    return await result_of(asyncio.get_running_loop().run_in_executor(_thread, work), interrupt)
