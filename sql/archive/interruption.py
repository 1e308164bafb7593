"""Waits for DuckDB in another thread, and ends its statement when the caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

# How often to interrupt DuckDB, because it forgets an interruption that comes before its statement.
INTERRUPT_SECONDS = 0.02

Result = TypeVar("Result")


async def result_of(running: asyncio.Future[Result], interrupt: Callable[[], None]) -> Result:
    """Return what a thread returns. Cancelled, call `interrupt` until the thread has ended."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            interrupt()
            await asyncio.wait({running}, timeout=INTERRUPT_SECONDS)
        running.exception()
        raise
