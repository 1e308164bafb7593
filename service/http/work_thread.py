"""A thread for work that would take the event loop too long, such as decoding a large body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class WorkThread:
    """One thread, so that such work together takes no more of Python's lock than the event loop does.

    A call into C must return soon all the same, because it holds the lock meanwhile.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="work")

    async def run(
        self, work: Callable[Parameters, Result], *given: Parameters.args, **named: Parameters.kwargs
    ) -> Result:
        """Return what `work` returns, after all work that was given before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*given, **named))

    async def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)
