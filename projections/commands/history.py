"""The command that opens and closes days for an import of history."""

from __future__ import annotations

import asyncio
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal

import click
import msgspec

from projections.archive.folder import make_private
from projections.commands.running import COULD_NOT, run
from projections.history import History
from service.settings import Settings
from sql.database import Database
from sql.errors import DatabaseError

# Held for as long as an import of history, or an erasure, runs: both open days.
LOCK = "hourledger-history.lock"


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked for. day: of open and close. reason, asked_by: of open."""

    do: Literal["left", "open", "close"]
    day: date = date.min
    reason: str = ""
    asked_by: str = ""


class Answer(msgspec.Struct, omit_defaults=True):
    """The answer. failed: why the request failed. refused: why a day takes no history. left: days that are open."""

    failed: str | None = None
    refused: str | None = None
    left: list[date] = []


class AnotherImport(Exception):
    """Another import of history, or an erasure, holds the lock."""


@click.command(hidden=True)
def history() -> None:
    """Open and close days for `import --history`: a request in JSON on each line of standard input, answered by a line.

    Exits 0 when standard input ends, 2 when it could not begin.
    """

    async def work(database: Database, settings: Settings) -> int:
        try:
            with alone(settings.archive_dir):
                await _serve(History(database, settings.archive_dir, settings.grace_days))
        except AnotherImport as error:
            _say(Answer(failed=str(error)))
            return COULD_NOT
        return 0

    run(work)


@contextmanager
def alone(archive: Path) -> Iterator[None]:
    """Hold the lock of imports of history and of erasures; the end of this process releases it.

    Raises AnotherImport, OSError.
    """
    make_private(archive)
    with (archive / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherImport(
                "another import of history is under way, or an erasure: run this one when it has ended"
            ) from None
        yield


async def _serve(days: History) -> None:
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        try:
            answer = await _answer(days, msgspec.json.decode(line, type=Request))
        except (DatabaseError, OSError) as error:
            answer = Answer(failed=str(error))
        _say(answer)


async def _answer(days: History, request: Request) -> Answer:
    if request.do == "left":
        return Answer(left=await days.left())
    if request.do == "open":
        return Answer(refused=await days.open(request.day, request.reason, request.asked_by))
    await days.close(request.day)
    return Answer()


def _say(answer: Answer) -> None:
    click.echo(msgspec.json.encode(answer).decode())
