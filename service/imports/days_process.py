"""The process that opens and closes days for an import of history: `python -m projections history`.

To open a day, and to close it with all its proofs, is the work of the projections, which the service does not import.
So a process does it. It answers each request, one line of JSON, with another.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any

import msgspec

from service.imports.errors import NotImportable

# How long the process may take to end after its last answer.
STOP_SECONDS = 20.0


class _Answer(msgspec.Struct):
    failed: str | None = None
    refused: str | None = None
    left: list[date] = []


_decoder = msgspec.json.Decoder(_Answer)


class DaysProcess:
    """Opens and closes days; see service.imports.history.Days. reason, asked_by: what amendments say."""

    def __init__(self, process: asyncio.subprocess.Process, reason: str, asked_by: str) -> None:
        self._process = process
        self._reason = reason
        self._asked_by = asked_by

    async def left(self) -> list[date]:
        """Return the days that an interrupted import left open."""
        return (await self._ask(do="left")).left

    async def open(self, day: date) -> str | None:
        """Open a day; return why it can take no history, None when it is open."""
        return (await self._ask(do="open", day=day, reason=self._reason, asked_by=self._asked_by)).refused

    async def close(self, day: date) -> None:
        """Close a day that is open."""
        await self._ask(do="close", day=day)

    async def _ask(self, **request: Any) -> _Answer:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise TypeError("the process was started without pipes")
        line = b""
        with suppress(ConnectionError):
            stdin.write(msgspec.json.encode(request) + b"\n")
            await stdin.drain()
            line = await stdout.readline()
        if not line:
            raise NotImportable("the process that opens days has ended; it said why above")
        answer = _decoder.decode(line)
        if answer.failed is not None:
            raise NotImportable(answer.failed)
        return answer


@asynccontextmanager
async def days_process(url: str, reason: str, asked_by: str) -> AsyncIterator[DaysProcess]:
    """Run the process for the block. It ends what it has begun, and then itself, also when this process is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "projections", "history"),
        env=os.environ | {"DATABASE_URL": url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # only the import gets Ctrl-C
    )
    try:
        yield DaysProcess(process, reason, asked_by)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
