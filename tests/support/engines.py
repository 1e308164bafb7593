"""Engines for tests: questions answered in this process, which costs no start of another one, by the same code."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from service.archive.answerer import SnapshotAnswerer
from service.archive.engine import SECONDS
from service.archive.process import Answer
from service.archive.protocol import Begin

NO_ARCHIVE = Path("/no/archive")


class InProcess:
    """Answers the questions of a database as a child does, one at a time."""

    def __init__(self, url: str, archive: Path = NO_ARCHIVE, seconds: int = SECONDS) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="engine-")
        self._begin = Begin(url, str(archive), self._folder.name, self._folder.name, 1, seconds)
        self._answerers: list[SnapshotAnswerer] = []  # those that wait for a question

    async def ask(self, question: msgspec.Struct) -> Answer:
        """Return the answer to a question."""
        answerer = self._answerers.pop() if self._answerers else self._new_answerer()
        try:
            found = await answerer.answer(msgspec.msgpack.encode(question))
        finally:
            self._answerers.append(answerer)
        return Answer(found.rows, found.source, found.seconds, found.wrong)

    def _new_answerer(self) -> SnapshotAnswerer:
        folder = tempfile.mkdtemp(dir=self._folder.name)
        return SnapshotAnswerer(msgspec.structs.replace(self._begin, folder=folder))

    async def close(self) -> None:
        """Close what the questions have opened."""
        for answerer in self._answerers:
            await answerer.close()
        self._folder.cleanup()
