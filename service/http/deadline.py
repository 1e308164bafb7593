"""Deadline of health checks, so that they answer in time even when the database does not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sql.errors import Unavailable

ANSWER_SECONDS = 3.0

Answer = TypeVar("Answer")


async def in_time(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """Return the answer of the database. Raises Unavailable when it takes longer than ANSWER_SECONDS."""
    asking = asyncio.create_task(asked)
    asking.add_done_callback(_forget)
    try:
        # Not asyncio.timeout, which waits for the task to end. The pool takes a connection back only when the server
        # confirms the cancellation (https://github.com/MagicStack/asyncpg/issues/431). A server that hangs never does.
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        if not asking.done():
            raise Unavailable(f"the database has not answered within {ANSWER_SECONDS:g} s")
        return asking.result()
    finally:
        asking.cancel()


def _forget(late: asyncio.Task[Any]) -> None:
    """Retrieve the error of a task that ended after the deadline, so that asyncio does not log it."""
    if not late.cancelled():
        late.exception()
