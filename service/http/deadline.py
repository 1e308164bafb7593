"""An answer in time, also about a database that does not answer at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sql.errors import Unavailable

# Who asks how the service is waits no longer.
ANSWER_SECONDS = 3.0

Answer = TypeVar("Answer")


async def in_time(asked: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what was asked of the database. Raises Unavailable when that takes longer than ANSWER_SECONDS."""
    asking = asyncio.create_task(asked)
    asking.add_done_callback(_forget)
    try:
        # Not asyncio.timeout: it waits for the end, and a server that hangs gives a connection back after seconds.
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        if not asking.done():
            raise Unavailable(f"the database has not answered within {ANSWER_SECONDS:g} s")
        return asking.result()
    finally:
        asking.cancel()


def _forget(late: asyncio.Task[Any]) -> None:
    """Take notice of an error that nobody waits for any more."""
    if not late.cancelled():
        late.exception()
