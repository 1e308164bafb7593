"""The child: answers one question at a time, until its worker ends.

It yields to everything else on the machine: ingest goes first, and when memory runs out, the system ends a child first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.archive.failures import failed
from service.archive.protocol import (
    ROWS_AT_A_TIME,
    Ask,
    Begin,
    Done,
    Failed,
    Message,
    Ready,
    Row,
    Rows,
    Stop,
    Taken,
    from_worker,
    receive,
    send,
)

NICENESS = 10
# A child without questions for so long keeps little memory.
REST_SECONDS = 60.0
# From -1000, never, to 1000, first: https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html
MEMORY_SCORE = "800"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, its source, how long each step took, and the files that could not be read."""

    rows: list[Row]
    source: str
    seconds: dict[str, float]
    wrong: list[str]


class Answerer(Protocol):
    """Whatever answers questions. It ends its work soon after it is cancelled."""

    async def answer(self, question: bytes) -> Found:
        """Return the answer to an encoded question."""

    def rest(self) -> None:
        """Give back memory while there is no question."""


def run(answerer: Callable[[Begin], Answerer]) -> None:
    """Answer the questions that come by standard input, which is a socket, until it ends. It does not return."""
    give_way()
    asyncio.run(_serve(answerer))


def give_way() -> None:
    """Let everything else go first. Only the worker gets Ctrl-C, and then ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))  # the worker may hold it back for itself
    os.nice(NICENESS)
    with suppress(OSError):  # elsewhere than on Linux
        Path("/proc/self/oom_score_adj").write_text(MEMORY_SCORE, encoding="ascii")


async def _serve(answerer: Callable[[Begin], Answerer]) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=0))
    data = await receive(reader)
    begin = from_worker.decode(data) if data is not None else None
    if not isinstance(begin, Begin):
        return
    os.environ.update(begin.variables)  # other processes see only the environment of its start
    conversation = Conversation(writer, answerer(begin))
    await conversation.say(Ready())
    while (data := await _next(reader, conversation)) is not None:
        conversation.take(from_worker.decode(data))
    # A thread may still work, but its answer has no reader.
    shutil.rmtree(begin.folder, ignore_errors=True)
    os._exit(0)


async def _next(reader: asyncio.StreamReader, conversation: Conversation) -> bytes | None:
    """Return the next message, as `receive` does. When it does not come for a while, rest."""
    receiving = asyncio.create_task(receive(reader))
    while not receiving.done():
        done, _ = await asyncio.wait({receiving}, timeout=REST_SECONDS)
        if not done:
            conversation.rest()
    return receiving.result()


class Conversation:
    """Takes what the worker says. At most one question is under way."""

    def __init__(self, writer: asyncio.StreamWriter, answerer: Answerer) -> None:
        self._writer = writer
        self._answerer = answerer
        self._answering: asyncio.Task[None] | None = None

    async def say(self, message: Message) -> None:
        """Send a message. When the worker is gone, `_serve` sees that, too."""
        with suppress(OSError):
            await send(self._writer, message)

    def take(self, message: Message) -> None:
        """Begin with a question, or end the one under way."""
        if isinstance(message, Ask):
            self._answering = asyncio.create_task(self._answer(message.question))
        elif isinstance(message, Stop) and self._answering is not None:
            self._answering.cancel()

    def rest(self) -> None:
        """Rest unless a question is under way."""
        if self._answering is None or self._answering.done():
            self._answerer.rest()

    async def _answer(self, question: bytes) -> None:
        try:
            await self.say(Taken())
            found = await self._answerer.answer(question)
            for first in range(0, len(found.rows), ROWS_AT_A_TIME):
                await self.say(Rows(found.rows[first : first + ROWS_AT_A_TIME]))
            await self.say(Done(found.source, found.seconds, found.wrong))
        except asyncio.CancelledError:
            await self.say(Failed("stopped", "the asker has left"))
        except BaseException as error:  # noqa: BLE001  # the worker raises it
            await self.say(failed(error))
