"""Questions for tests of the engine, and a child that answers them: `python -m tests.support.archive_questions`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from msgspec import Struct

from service.archive.answerer import Questions, SnapshotAnswerer
from service.archive.child import run
from service.archive.protocol import Row
from service.archive.source import Part

# Little, so that a question soon needs too much.
TEMPORARY = 300_000_000
COMMAND = (sys.executable, "-m", "tests.support.archive_questions")


class Asked(Struct, frozen=True, kw_only=True):
    """What every question has."""

    since: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    until: datetime = datetime(2100, 1, 1, tzinfo=UTC)
    user_id: str | None = None
    snapshot: str | None = None
    shards: tuple[int, ...] | None = None

    @property
    def range(self) -> tuple[datetime, datetime]:
        return self.since, self.until

    @property
    def leaves_out_quarantined(self) -> bool:
        return False

    def needs(self) -> list[str]:
        return ["event_id", "user_id", "properties", "session"]

    def texts(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {} if self.user_id is None else {("user_id",): (self.user_id,)}

    def property_names(self) -> None:
        return

    def counted_names(self) -> tuple[str, ...]:
        return ()


class Ids(Asked, frozen=True, tag=True):
    """The ids of the events, in order."""


class Overtaken(Ids, frozen=True, tag=True):
    """The ids of the events, read after a file has vanished."""

    file: str


class Events(Asked, frozen=True, tag=True):
    """The events: id, session's number, and properties."""


class Statement(Asked, frozen=True, tag=True):
    """What a statement of DuckDB gives."""

    text: str


class Ended(Asked, frozen=True, tag=True):
    """No answer: the process ends with a code, or for None sends itself the signal that cannot be caught."""

    code: int | None


class Told(Asked, frozen=True, tag=True):
    """The number of the process."""


class Many(Asked, frozen=True, tag=True):
    """Many rows, each with a text."""

    rows: int
    characters: int


class Standing(Asked, frozen=True, tag=True):
    """Where the shards stand."""


with_standing = (Standing,)
kinds = Standing | Ids | Overtaken | Events | Statement | Ended | Told | Many


def answer(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], question: Any) -> list[Row]:
    """Answer a question."""
    match question:
        case Ids() | Events():
            return read(parts, question)
        case Statement(text=text):
            return [{"value": value} for (value,) in connection.sql(text).fetchall()]
        case Told():
            return [{"pid": os.getpid(), "nice": os.nice(0)}]
        case Many(rows=rows, characters=characters):
            return [{"text": "é" * characters}] * rows
        case Ended(code=code):
            end(code)
    return []


def read(parts: Sequence[Part], question: Ids | Events) -> list[Row]:
    if isinstance(question, Overtaken):
        Path(question.file).unlink(missing_ok=True)
    columns = ["event_id"] if isinstance(question, Ids) else ["event_id", "session", "properties"]
    rows = [
        row
        for part in parts
        for time, *row in part.relation.select("timestamp", *columns).fetchall()
        if part.inside or question.since <= time < question.until
    ]
    return [dict(zip(columns, map(str_or_none, row), strict=True)) for row in sorted(rows)]


def end(code: int | None) -> None:
    if code is None:
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        os._exit(code)


def str_or_none(value: object) -> str | None:
    return None if value is None else str(value)


QUESTIONS = Questions(kinds, answer, with_standing)

if __name__ == "__main__":
    # Niceness counts within a session. In that of the tests, the child would give way to all other tests.
    os.setsid()
    run(lambda begin: SnapshotAnswerer(begin, QUESTIONS, TEMPORARY))
