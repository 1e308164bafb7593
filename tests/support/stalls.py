"""The service in this process, and how long each request keeps its event loop from anything else."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from service.app import Service
from service.http.server import MOST_HEAD_BYTES
from service.http.worker import SWITCH_SECONDS, keep_what_is_loaded
from service.settings import load
from tests.conftest import RETENTION_DAYS

BEAT_SECONDS = 0.002
# Another process can hold a core for longer than a request may. It does not do so each time.
TRIES = 5


class Stalls:
    """Sends requests to the service, one at a time, and measures."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._worst = self._due = 0.0

    async def of(self, path: str, body: bytes, headers: Mapping[bytes, bytes], enough: float) -> tuple[float, int]:
        """Return the worst stall while a POST is answered, in seconds, and its status.

        When it is over `enough`, the request is tried again, and the best of TRIES counts.
        """
        best, status = await self._once(path, body, headers)
        for _ in range(TRIES - 1):
            if best <= enough:
                break
            best = min(best, (await self._once(path, body, headers))[0])
        return best, status

    async def _once(self, path: str, body: bytes, headers: Mapping[bytes, bytes]) -> tuple[float, int]:
        status = 0
        place = 0

        async def receive() -> Any:
            nonlocal place
            await asyncio.sleep(0)
            chunk = body[place : place + MOST_HEAD_BYTES]  # as the server gives them
            place += MOST_HEAD_BYTES
            return {"type": "http.request", "body": chunk, "more_body": place < len(body)}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        scope: Any = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
            "headers": [(b"host", b"127.0.0.1"), (b"content-length", b"%d" % len(body)), *headers.items()],
        }
        self._worst = 0.0
        self._due = asyncio.get_running_loop().time() + BEAT_SECONDS  # what came before is not the request's
        await self._service.entry(scope, receive, send)
        self._notice()  # a beat that the last step of the request holds up
        return self._worst, status

    async def beat(self) -> None:
        """Beat until cancelled. A beat comes late when something keeps the event loop from it."""
        loop = asyncio.get_running_loop()
        while True:
            self._due = loop.time() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self._notice()

    def _notice(self) -> None:
        self._worst = max(self._worst, asyncio.get_running_loop().time() - self._due)


@asynccontextmanager
async def stalls(database_url: str) -> AsyncIterator[Stalls]:
    """Run the service in this process during the block, without the server."""
    days = str(RETENTION_DAYS)
    service = Service(load({"DATABASE_URL": database_url, "HOURLEDGER_EVENT_RETENTION_DAYS": days}))
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_SECONDS)
    keep_what_is_loaded()
    await service.sites.look()
    await service.appender.start()
    await service.appender.wait_until_available(60)
    measured = Stalls(service)
    beating = asyncio.create_task(measured.beat())
    await asyncio.sleep(0)
    try:
        yield measured
    finally:
        beating.cancel()
        sys.setswitchinterval(interval)
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        await service.appender.close()
        for each in (service.work, service.log, service.access, service.looking, service.database):
            await each.close()
