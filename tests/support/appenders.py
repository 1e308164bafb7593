"""Wait for an appender."""

from __future__ import annotations

import asyncio

from service.ingest.appender import Appender


async def until_available(appender: Appender, *, available: bool = True) -> None:
    async with asyncio.timeout(60):
        while appender.available != available:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
