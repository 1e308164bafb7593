"""The lifespan of a worker process: it starts the appender, does housekeeping, and stops everything in order."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from litestar import Litestar

from service.access.key_uses import KeyUses
from service.access.sites import Sites
from service.http import held_signals
from service.http.metrics import Metrics
from service.ingest.appender import Appender
from sql.loading import end_loading

HOUSEKEEPING_SECONDS = 1.0
STOP_LOOK_SECONDS = 0.05
# A database that is up answers sooner.
START_SECONDS = 2.0
# A higher threshold than the number of objects in requests that wait for a commit. These are not garbage, but every
# collection would search them.
OBJECTS_PER_COLLECTION = 20_000
# How long the work thread may keep Python's lock when the event loop wants it. A request wants it several times.
SWITCH_SECONDS = 0.001


class Closable(Protocol):
    """Anything with connections or a thread to close."""

    async def close(self) -> None:
        """Close it."""


class Worker:
    """One worker process.

    following: what runs from the start to the end, such as the alerts. end_streams: ends the answers that have no end
    of their own. closing: closed in this order, after the appender.
    """

    def __init__(
        self,
        appender: Appender,
        sites: Sites,
        uses: KeyUses,
        following: Sequence[Callable[[], Coroutine[None, None, None]]],
        metrics: Metrics,
        end_streams: Callable[[], None],
        closing: Sequence[Closable],
    ) -> None:
        self._appender = appender
        self._sites = sites
        self._uses = uses
        self._following = following
        self._metrics = metrics
        self._end_streams = end_streams
        self._closing = closing

    @asynccontextmanager
    async def lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Run from before the first request until after the last one."""
        keep_what_is_loaded()
        sys.setswitchinterval(SWITCH_SECONDS)
        tasks = [asyncio.create_task(self._sites.follow())]
        await self._appender.start()
        # Wait, so that a new worker does not refuse events that the other workers take.
        await asyncio.gather(
            self._appender.wait_until_available(START_SECONDS), self._sites.wait_until_known(START_SECONDS)
        )
        tasks += [asyncio.create_task(self._keep_house()), asyncio.create_task(self._end_streams_at_stop())]
        tasks += [asyncio.create_task(follow()) for follow in (self._uses.follow, *self._following)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            self._end_streams()
            await self._appender.close()
            await self._uses.write()
            for each in self._closing:
                await each.close()

    async def _keep_house(self) -> None:
        """Report the events that wait. Stop when the server was killed, because an orphan would keep the port."""
        # Not os.getppid() alone, because the server may have been killed before this worker looks.
        parent = held_signals.Server.pid or os.getppid()
        while os.getppid() == parent:
            self._metrics.waiting(self._appender.admission.events)
            self._metrics.overloads()
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    async def _end_streams_at_stop(self) -> None:
        """End the streams before the server learns that it must stop.

        The server waits for every answer under way (https://github.com/emmett-framework/granian/issues/518), and ASGI
        has no event that announces the stop (https://github.com/django/asgiref/issues/588).
        """
        await asyncio.sleep(held_signals.HELD_SECONDS)
        while not held_signals.came():  # noqa: ASYNC110  # a signal that is held back wakes no task
            await asyncio.sleep(STOP_LOOK_SECONDS)
        self._end_streams()
        held_signals.let_through()


def keep_what_is_loaded() -> None:
    """Exclude all objects loaded so far from garbage collection, which under load would search them again and again."""
    gc.collect()
    end_loading()
    gc.set_threshold(OBJECTS_PER_COLLECTION, 10, 10)
