"""Leaves processors to ingest: while many events come, a question uses half of them (R14).

Niceness is not enough: a thread that wakes may wait until the one that runs has used its slice of time, and a POST
wakes several threads in turn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from time import monotonic

# Events a second from which ingest gets processors of its own.
MANY = 100
# Positions of less time say little, because appends come in groups.
LEAST_SECONDS = 0.2


class Processors:
    """Those that this process may use. use: lets all of its threads run on some of them."""

    def __init__(
        self,
        allowed: Collection[int] | None = None,
        use: Callable[[Collection[int]], None] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._all = sorted(_allowed() if allowed is None else allowed)
        # One processor cannot be shared out.
        self._half = self._all[(len(self._all) + 1) // 2 :] or self._all
        self._use = use or _use
        self._clock = clock
        self._seen: tuple[int, float] | None = None
        self._given = self._all

    def heed(self, positions: int) -> None:
        """Choose the processors of the next question by how many events came since the last one.

        positions: the sum of the last positions of all shards.
        """
        now = self._clock()
        if self._seen is None:
            self._seen = positions, now
            return
        before, then = self._seen
        if now - then < LEAST_SECONDS:
            return
        self._seen = positions, now
        given = self._half if positions - before >= MANY * (now - then) else self._all
        if given != self._given:
            self._use(given)
            self._given = given


def _allowed() -> Collection[int]:
    return os.sched_getaffinity(0) if sys.platform == "linux" else ()


def _use(processors: Collection[int]) -> None:
    """Let all threads of this process run on some processors only; threads that they start do so, too."""
    if sys.platform == "linux":
        for thread in Path("/proc/self/task").iterdir():
            # The thread has ended meanwhile, or the system does not let it: then niceness alone has to do.
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), processors)
