"""How many long questions a worker answers at a time, and how many more may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from service.archive import timing
from service.errors import Busy

AT_A_TIME = 2
MOST_WAITING = 16


class Places:
    """AT_A_TIME places for long questions, so that other reads and all writes never wait for them."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_A_TIME)
        self._asked = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a place and hold it. Raises Busy when too many wait already."""
        if self._asked >= AT_A_TIME + MOST_WAITING:
            raise Busy("too many long questions are being answered; try again")
        self._asked += 1
        began = perf_counter()
        try:
            async with self._free:
                timing.add({"wait": perf_counter() - began})
                yield
        finally:
            self._asked -= 1
