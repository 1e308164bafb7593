"""Deadline of health checks: an answer in time even when the database does not answer at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sql.errors import Unavailable

ANSWER_SECONDS = 3.0

Answer = TypeVar("Answer")


async def in_time(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what was asked of the database. Raises Unavailable when that takes longer than ANSWER_SECONDS."""
    asking = asyncio.create_task(asked)
    asking.add_done_callback(_forget)
    try:
        # Not asyncio.timeout, which waits for the end: the pool takes a connection back only when the server has
        # confirmed the cancellation (https://github.com/MagicStack/asyncpg/issues/431), and one that hangs does not.
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        if not asking.done():
            raise Unavailable(f"the database has not answered within {ANSWER_SECONDS:g} s")
        return asking.result()
    finally:
        asking.cancel()


def _forget(late: asyncio.Task[Any]) -> None:
    """Retrieve the error of a question whose asker has its answer already."""
    if not late.cancelled():
        late.exception()
