"""Exports as downloads. A download that fails midway is broken off, so that the client sees that it is incomplete."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from litestar.types import Receive, Scope, Send

from service.errors import ServiceError, Stopping
from service.exports.export import Export, Exports
from service.http.answers import PRIVATE
from service.http.requests import while_connected
from sql.errors import DatabaseError

# The longest that a client may take nothing. PostgreSQL ends a transaction that is idle for a minute.
STALL_SECONDS = 30.0

log = structlog.get_logger(__name__)


class Stalled(Exception):
    """The client has taken nothing for too long."""


class Download:
    """The ASGI application that answers with one export."""

    def __init__(self, exports: Exports, given: Mapping[str, str], stall_seconds: float = STALL_SECONDS) -> None:
        self._exports = exports
        self._given = given
        self._stall_seconds = stall_seconds
        self._started = self._whole = False

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the export. Raises errors only before the first byte; later it breaks the body off instead."""
        try:
            await while_connected(receive, self._answer(send))
        except asyncio.CancelledError:
            if not self._exports.ended:
                raise
            self._fail(Stopping("the service is stopping"))
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._started:
            raise error
        if self._whole:
            return
        if isinstance(error, ServiceError | DatabaseError | Stalled):
            log.warning("an export was broken off", why=str(error))
        else:
            log.error("an export was broken off, because the service failed", exc_info=error)

    async def _answer(self, send: Send) -> None:
        question = await self._exports.question(self._given)
        async with self._exports.begun(question) as export:
            # Read a block before sending the head, so that an export that fails at once still answers with an error.
            first = await anext(export.blocks)
            await self._send(send, _head(export))
            await self._send(send, _part(first.content))
            async for block in export.blocks:
                await self._send(send, _part(block.content))
        self._whole = True
        await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, message: Any) -> None:
        self._started = True
        try:
            async with asyncio.timeout(self._stall_seconds):
                await send(message)
        except TimeoutError as error:
            raise Stalled(f"the client took nothing for {self._stall_seconds:g} s") from error


def _head(export: Export) -> dict[str, Any]:
    headers = [(name.encode(), value.encode()) for name, value in {**PRIVATE, **export.headers}.items()]
    return {"type": "http.response.start", "status": 200, "headers": headers}


def _part(content: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": True}
