"""Proves files of the archive from the files alone: the bytes by the name, the hours by their digests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from projections.archive.contents import Content, Contents, wrong_bytes
from projections.archive.identity import check_archive
from projections.archive.numbers import Numbers, numbers_of
from projections.archive.thread import in_thread
from sql.database import Database, Row


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """What the catalog says of a file: its size, its events, and the numbers of the hours that are read from it.

    damage: why it is not read now. only_copy: the log has no rows of its hours.
    """

    file: str
    shard: int
    bytes: int
    events: int
    damage: str | None
    only_copy: bool = False
    hours: dict[datetime, Numbers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileProof:
    """What a proof of a file found. wrong: None when the file is right, else what it is."""

    file: ArchivedFile
    wrong: str | None


async def archived_files(
    database: Database,
    files: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ArchivedFile]:
    """Return what the catalog says of files that hours are read from: these, or all of a range."""
    rows = await database.rows(database.statements.list_archived_hours, files, since, until)
    found: dict[str, ArchivedFile] = {}
    for row in rows:
        found.setdefault(row["file"], _file(row)).hours[row["hour"]] = numbers_of(row)
    return list(found.values())


def _file(row: Row) -> ArchivedFile:
    names = ("file", "shard", "bytes", "file_events", "damage", "only_copy")
    return ArchivedFile(*(row[name] for name in names))


async def prove(
    database: Database,
    archive: Path,
    files: Sequence[ArchivedFile],
    clock: datetime | None = None,
    *,
    numbers: bool = True,
    record: bool = True,
    contents: Contents | None = None,
) -> AsyncIterator[FileProof]:
    """Prove files one after another; yield the proofs of those that are still read.

    A file is damaged when two proofs in a row fail: it may have been replaced or deleted during the first.
    numbers: whether to recompute those of the hours; without them a proof that succeeds is not recorded.
    record: whether to record what was found; else the projector is asked to prove what is wrong.
    contents: what other checks of this run have read.
    Raises NotTheArchive instead of recording damage when the folder is not the archive.
    """
    contents = contents or Contents(archive)
    judge = partial(what_is_wrong, archive, numbers=numbers, contents=contents)
    for file in files:
        now: ArchivedFile | None = file
        if (wrong := await in_thread(partial(judge, file))) is not None:
            contents.forget(file.file)
            now = next(iter(await archived_files(database, [file.file])), None)
            wrong = await in_thread(partial(judge, now)) if now else None
        if now is None:
            continue
        if record and wrong is not None:
            await check_archive(database, archive)
        if await (_record(database, now, wrong, clock, numbers=numbers) if record else _ask(database, now, wrong)):
            yield FileProof(now, wrong)


async def _record(
    database: Database, file: ArchivedFile, wrong: str | None, clock: datetime | None, *, numbers: bool
) -> bool:
    """Record a proof; return whether hours are still read from the file."""
    statements = database.statements
    if wrong is not None:
        return bool(await database.rows(statements.record_file_damaged, file.file, wrong))
    return not numbers or bool(await database.rows(statements.record_file_proven, file.file, clock))


async def _ask(database: Database, file: ArchivedFile, wrong: str | None) -> bool:
    """Ask the projector to prove a file that is wrong; return whether hours are still read from it."""
    return wrong is None or bool(await database.rows(database.statements.ask_for_proof, file.file))


def what_is_wrong(
    archive: Path, file: ArchivedFile, *, numbers: bool = True, contents: Contents | None = None
) -> str | None:
    """Return what is wrong with a file, None when nothing is.

    numbers: whether to recompute those of its hours, too. contents: what other checks of this run have read.
    """
    if not numbers:
        return wrong_bytes(archive, file.file, file.bytes)
    content = (contents or Contents(archive)).of(file.file, file.bytes)
    return content.wrong or contradiction(file, content)


def contradiction(file: ArchivedFile, content: Content) -> str | None:
    """Return where the content of a file is not what the catalog says; None when it is."""
    events = sum(numbers.events for numbers in content.hours.values())
    if events != file.events:
        return f"it holds {events:,} events, not {file.events:,}"
    for hour, numbers in file.hours.items():
        if (there := content.hours.get((file.shard, hour))) != numbers:
            return f"hour {hour:%Y-%m-%dT%H:%MZ}: archived {numbers}, it holds {there}"
    return None
