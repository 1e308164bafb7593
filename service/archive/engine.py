"""Answers questions about raw events in child processes, each with a DuckDB of its own.

A child that crashes, or must be killed, costs one question.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import msgspec
import structlog

from service.archive import timing
from service.archive.admission import AT_A_TIME
from service.archive.failures import FailedInChild, starting
from service.archive.process import Answer, Child, NotTaken, variables_of_postgresql
from service.archive.protocol import Begin
from service.archive.scratch import Scratch
from service.errors import ReadInterrupted, ReadTooSlow, ServiceError, Stopping

SECONDS = 10
# How long a child may take to end a question whose asker has left. Then it is killed.
STOP_SECONDS = 1.0
# No child starts while this many others cannot be ended.
MOST_STUCK = 2 * AT_A_TIME
COMMAND = (sys.executable, "-m", "service.archive")

log = structlog.get_logger(__name__)
_encoder = msgspec.msgpack.Encoder()

Result = TypeVar("Result")


class Engine:
    """At most AT_A_TIME children. Each starts when it is first needed, and is kept.

    archive: the folder of the archive's files. scratch: the folder below which temporary files go. workers: how many
    engines the machine has. seconds: the longest that one question may take. command: what starts a child.
    """

    def __init__(
        self,
        url: str,
        archive: Path,
        scratch: Path,
        *,
        workers: int = 1,
        seconds: int = SECONDS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._url = url
        self._archive = archive
        self._place = scratch
        self._scratch = Scratch(scratch)
        self._workers = workers
        self._seconds = seconds
        self._command = command
        # A child, or a place for one. The last one used comes first, so that a worker with few questions has one child.
        self._free: asyncio.LifoQueue[Child | None] = asyncio.LifoQueue()
        for _ in range(AT_A_TIME):
            self._free.put_nowait(None)
        self._children: set[Child] = set()
        # Those that were killed, but have not ended.
        self._stuck: set[Child] = set()
        self._settling: set[asyncio.Task[Any]] = set()
        self._told: set[str] = set()
        self._closed = False

    async def ask(self, question: msgspec.Struct) -> Answer:
        """Return the answer to a question: one of service.archive.questions.

        Raises ReadTooSlow, ReadTooLarge, ReadInterrupted, ArchiveDamaged, and sql.errors.DatabaseError. Cancelled, it
        ends the question in the child, too.
        """
        encoded = _encoder.encode(question)
        deadline = asyncio.timeout(self._seconds)
        try:
            async with deadline:
                return await self._ask_again(encoded)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise ReadTooSlow(f"reading took longer than {self._seconds} s; ask for fewer hours") from error

    async def _ask_again(self, question: bytes) -> Answer:
        """Ask; ask another child when one ended before it took the question."""
        for _ in range(AT_A_TIME):
            with suppress(NotTaken):  # a child that was ended while it waited
                return await self._ask(question)
        try:
            return await self._ask(question)
        except NotTaken as error:
            raise ReadInterrupted(str(error)) from error

    async def _ask(self, question: bytes) -> Answer:
        began = perf_counter()
        child = await self._child()
        answering = child.ask(question)
        try:
            timing.add({"wait": perf_counter() - began})
            await asyncio.wait({answering})
            answer = self._answer_of(answering)
            timing.add(answer.seconds)
            return answer
        finally:
            self._leave(child, answering)

    async def close(self) -> None:
        """End all children; questions under way fail."""
        self._closed = True
        for child in self._children:
            child.kill()
        await asyncio.gather(*(child.end() for child in self._children), return_exceptions=True)
        while self._settling:
            await asyncio.gather(*self._settling, return_exceptions=True)
        self._children.clear()
        await asyncio.to_thread(self._scratch.remove)

    async def _child(self) -> Child:
        """Return a child that waits for a question, once there is one."""
        child = await self._free.get()
        if child is not None and child.alive:
            return child
        if child is not None:
            _ = self._in_background(self._end(child))
        begun = self._in_background(self._start())
        try:
            return await asyncio.shield(begun)
        except BaseException:
            # When the asker has left, the child still starts, for the next question.
            begun.add_done_callback(self._keep)
            raise

    def _keep(self, begun: asyncio.Task[Child]) -> None:
        failed = begun.cancelled() or begun.exception() is not None
        self._free.put_nowait(None if failed else begun.result())

    async def _start(self) -> Child:
        self._stuck = {child for child in self._stuck if not child.ended}
        if len(self._stuck) >= MOST_STUCK:
            raise ReadInterrupted(
                f"{len(self._stuck)} processes that read for questions hang, and cannot be ended: whoever runs the"
                " service must look whether its disk still answers"
            )
        with starting():
            child = await self._new_child()
        self._children.add(child)
        try:
            await child.begin(self._begin(child.folder))
        except BaseException:
            _ = self._in_background(self._end(child))
            raise
        return child

    async def _new_child(self) -> Child:
        folder = await asyncio.to_thread(self._scratch.new_folder)
        try:
            self._check_open()
            return Child(self._command, folder)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise Stopping("the service is stopping")

    def _begin(self, folder: Path) -> Begin:
        children = self._workers * AT_A_TIME
        return Begin(
            self._url,
            str(self._archive),
            str(folder),
            str(self._place),
            children,
            self._seconds,
            variables_of_postgresql(),
        )

    def _answer_of(self, answering: asyncio.Task[Answer]) -> Answer:
        try:
            answer = answering.result()
        except ReadInterrupted as error:
            log.warning("the process of a question ended", error=str(error))
            raise
        except FailedInChild as error:
            log.error("a question failed in its process", trace=str(error))  # noqa: TRY400  # the trace is the child's
            raise ServiceError("the service failed; its log says why") from error
        if new := set(answer.wrong) - self._told:
            log.warning("files of the archive are damaged or missing; rows were read instead", files=sorted(new))
            self._told |= new
        return answer

    def _leave(self, child: Child, answering: asyncio.Task[Answer]) -> None:
        """Give a child back. One that still answers must first end the question, whose asker has left."""
        if answering.done() and child.alive:
            self._free.put_nowait(child)
            return
        _ = self._in_background(self._settle(child, answering))

    async def _settle(self, child: Child, answering: asyncio.Task[Answer]) -> None:
        if await child.stop(answering, STOP_SECONDS):
            self._free.put_nowait(child)
        else:
            child.kill()
            self._free.put_nowait(None)
            await self._end(child)
        if answering.done() and not answering.cancelled():
            answering.exception()  # the asker has left

    async def _end(self, child: Child) -> None:
        child.kill()
        await child.end()
        self._children.discard(child)
        if not child.ended:
            log.warning("a process of a question cannot be ended", pid=child.process.pid)
            self._stuck.add(child)
        await asyncio.to_thread(shutil.rmtree, child.folder, ignore_errors=True)

    def _in_background(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        return task
