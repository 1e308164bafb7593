"""A child process, seen from its worker: it starts, answers one question at a time, and ends with the worker.

The two talk through a pair of sockets. The child ends when its socket does, so it never outlives a worker that was
killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.archive.failures import error_of
from service.archive.protocol import Ask, Begin, Done, Failed, Ready, Row, Rows, Stop, Taken, from_child, receive, send
from service.errors import ReadInterrupted, ReadTooLarge

# The most bytes of one answer.
MOST_ANSWER_BYTES = 16 * 1024 * 1024
# A machine that is very busy starts a process in seconds.
START_SECONDS = 30.0
END_SECONDS = 1.0
# A process that waits for a disk ends only once the disk answers.
KILL_SECONDS = 5.0


# What a child needs to start. The environment of a process can be read, so it must not have secrets.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "TZ", "VIRTUAL_ENV")
# The variables with which PostgreSQL's clients complete an address.
OF_POSTGRESQL = "PG"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. source: `archive`, `events` or `both`. seconds, wrong: as in Done."""

    rows: list[Row]
    source: str
    seconds: dict[str, float]
    wrong: list[str]


class NotTaken(Exception):
    """The process ended before it took the question, which another one can answer."""


def environment() -> dict[str, str]:
    """Return the environment of a child."""
    return {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


def variables_of_postgresql() -> dict[str, str]:
    """Return what belongs into the message Begin, because it may have a password."""
    return {name: value for name, value in os.environ.items() if name.startswith(OF_POSTGRESQL)}


class Child:
    """A child process, from its start until `end`. folder: where its temporary files are. Raises OSError."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.folder = folder
        self._socket, theirs = socket.socketpair()
        with theirs:
            # What it prints to standard error, such as the last words of a crash, belongs to the log.
            try:
                self.process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment()
                )
            except BaseException:
                self._socket.close()
                raise
        self._reader = asyncio.StreamReader()
        self._writer: asyncio.StreamWriter | None = None

    async def begin(self, begin: Begin) -> None:
        """Return once it waits for questions. Raises ReadInterrupted when it ends, or takes too long."""
        try:
            async with asyncio.timeout(START_SECONDS):
                self._reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
                await self._say(begin)
                data = await receive(self._reader)
        except (OSError, TimeoutError):  # the latter is an OSError, too
            data = None
        if data is None or not isinstance(from_child.decode(data), Ready):
            self.kill()
            raise await self._interrupted()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.poll() is None and not self._reader.at_eof()

    def ask(self, question: bytes) -> asyncio.Task[Answer]:
        """Begin to ask; return the task that waits for the answer. Ask again only when that is done.

        The task raises NotTaken, ServiceError, sql.errors.DatabaseError, or FailedInChild. Do not cancel it: the
        child would then be at an unknown place in its messages. See `stop`.
        """
        return asyncio.create_task(self._answer(question))

    async def stop(self, answering: asyncio.Task[Answer], seconds: float) -> bool:
        """Tell the child that the asker has left. Return whether it ended the question within some seconds."""
        try:
            await self._say(Stop())
        except OSError:
            return False
        await asyncio.wait({answering}, timeout=seconds)
        return answering.done() and self.alive

    async def end(self) -> None:
        """End the process, which does so when its socket is closed. Kill it when it takes longer than a moment.

        Afterwards `ended` tells whether it did end.
        """
        if self._writer is None:
            self._socket.close()
        else:
            self._writer.close()
        try:
            await asyncio.to_thread(self.process.wait, END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self.process.wait, KILL_SECONDS)

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End the process at once; `end` must follow."""
        self.process.kill()

    async def _say(self, message: Begin | Ask | Stop) -> None:
        if self._writer is not None:
            await send(self._writer, message)

    async def _answer(self, question: bytes) -> Answer:
        try:
            await self._say(Ask(question))
            return await self._received()
        except OSError as error:
            raise NotTaken((await self._interrupted()).message) from error

    async def _received(self) -> Answer:
        rows: list[Row] = []
        size = 0
        is_taken = False
        while (data := await receive(self._reader)) is not None:
            size += len(data)
            match from_child.decode(data):
                case Rows(some):
                    # Too many are thrown away, but still received, so that the child comes to an end.
                    rows.extend(some if size <= MOST_ANSWER_BYTES else ())
                case Done(source, seconds, wrong) if size <= MOST_ANSWER_BYTES:
                    return Answer(rows, source, seconds, wrong)
                case Done():
                    raise ReadTooLarge("the answer has more rows than the service gives; ask for fewer hours")
                case Failed() as told:
                    raise error_of(told)
                case Taken() | Ready():
                    is_taken = True
        error = await self._interrupted()
        raise error if is_taken else NotTaken(error.message)

    async def _interrupted(self) -> ReadInterrupted:
        """Return the error of a child that is gone."""
        await self.end()
        return _ended(self.process)


def _ended(process: subprocess.Popen[bytes]) -> ReadInterrupted:
    code = process.returncode
    if code is None:
        return ReadInterrupted(
            "the process that read for this question does not answer, and cannot be ended; try again"
        )
    how = f"was ended by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with code {code}"
    memory = "; perhaps the machine ran out of memory" if code == -signal.SIGKILL else ""
    return ReadInterrupted(f"the process that read for this question {how}{memory}; try again, or ask for fewer hours")
