"""Finds a person in the rows of the log and in the files of days that only the archive has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from projections.archive.identity import check_archive
from projections.archive.numbers import BEGINNING, HOUR
from projections.archive.thread import in_thread
from projections.archive.writer import MEMORY, THREADS
from projections.erasing.subject import USER, Subject
from sql.archive.duck import connect, statement
from sql.archive.files import day_of, place_of
from sql.archive.rows import read_files
from sql.database import Database, Row


class Unreadable(OSError):
    """A file of the archive cannot be searched for a person. See make verify."""


# Where events of a person are.
IN_THE_LOG, DETACHED, KEPT, LEAVING = "in the log", "detached", "kept", "leaving"
# How many files DuckDB reads together.
FILES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Events of one session, with one user or none, in one hour of a shard.

    where: IN_THE_LOG; DETACHED (the day has left the log, and can be brought back); KEPT (only the archive has it);
    LEAVING (the archive deletes it after the grace). since, until: the first and the last timestamp.
    """

    shard: int
    hour: datetime
    where: str
    session: str
    user: str | None
    events: int
    since: datetime
    until: datetime

    @property
    def day(self) -> date:
        """The UTC day."""
        return self.hour.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class Person:
    """What is stored of a person in events.

    sessions: those that go when the person is erased. shared: sessions that name other users, too, each with their
    number. places: where the events are that go.
    """

    subject: Subject
    sessions: tuple[str, ...]
    shared: dict[str, int]
    places: tuple[Place, ...]

    @property
    def users(self) -> tuple[str, ...]:
        """The user, when the person is one."""
        return (self.subject.id,) if self.subject.kind == USER else ()


async def find(
    database: Database,
    archive: Path,
    shards: Sequence[int],
    subject: Subject,
    *,
    named: bool = False,
    known: Collection[str] = (),
    unread: dict[date, str] | None = None,
) -> Person:
    """Find a person in some shards.

    A user's sessions are those that named the user. named: leave out, but for the user's own events, sessions that name
    other users, too. known: sessions that were found before. unread: gets the days whose files
    cannot be searched, and why; without it that raises Unreadable. Raises other OSErrors, and sql.errors.DatabaseError.
    """
    look = partial(_places, database, archive, shards, unread)
    sessions = {subject.id}
    if subject.kind == USER:
        sessions = {place.session for place in await look([subject.id], [])}.union(known)
    users = [subject.id] if subject.kind == USER else []
    places = await look(users, sorted(sessions))
    others: dict[str, set[str]] = {}
    for place in places:
        if place.user is not None and place.user not in users and place.session in sessions:
            others.setdefault(place.session, set()).add(place.user)
    shared = {session: len(users) for session, users in others.items() if subject.kind == USER or len(users) > 1}
    if named:
        sessions -= shared.keys() - set(known)
    going = [place for place in places if place.user in users or place.session in sessions]
    return Person(subject, tuple(sorted(sessions)), shared, tuple(going))


async def _places(
    database: Database,
    archive: Path,
    shards: Sequence[int],
    unread: dict[date, str] | None,
    users: Sequence[str],
    sessions: Sequence[str],
) -> list[Place]:
    rows = await database.rows(database.statements.find_person, list(shards), list(users), list(sessions))
    found = [_of_row(row) for row in rows]
    for where, files in (await held_files(database, archive, shards)).items():
        for start in range(0, len(files), FILES_AT_ONCE):
            some = files[start : start + FILES_AT_ONCE]
            search = partial(_in_files, archive, users=users, sessions=sessions, where=where)
            found += await in_thread(partial(_in_readable, search, some, unread))
    return found


def _in_readable(
    search: Callable[[Sequence[str]], list[Place]], files: Sequence[str], unread: dict[date, str] | None
) -> list[Place]:
    """Search files together or, where one cannot be read, one by one."""
    try:
        return search(files)
    except Unreadable as error:
        if unread is None:
            raise
        if len(files) == 1:
            unread[day_of(files[0])] = str(error)
            return []
    return [place for file in files for place in _in_readable(search, [file], unread)]


def _of_row(row: Row) -> Place:
    where = DETACHED if row["is_detached"] else IN_THE_LOG
    names = ("session_id", "user_id", "events", "since", "until")
    return Place(row["shard"], row["hour"], where, *(row[name] for name in names))


async def held_files(database: Database, archive: Path, shards: Sequence[int]) -> dict[str, list[str]]:
    """Return the files of days that have no rows, by where that is: KEPT or LEAVING.

    Raises OSError when the folder is not the archive although there are such files.
    """
    rows = await database.rows(database.statements.list_held_files, list(shards))
    if rows:
        await check_archive(database, archive)
    files: dict[str, list[str]] = {}
    for row in rows:
        some = files.setdefault(LEAVING if row["is_leaving"] else KEPT, [])
        if row["file"] not in some:
            some.append(row["file"])
    return files


def _in_files(
    archive: Path, files: Sequence[str], users: Sequence[str], sessions: Sequence[str], where: str
) -> list[Place]:
    rows = ask_files(archive, files, "find_person", users=list(users), sessions=list(sessions))
    return [
        Place(shard, BEGINNING + hour * HOUR, where, session, user, events, _moment(since), _moment(until))
        for shard, hour, session, user, events, since, until in rows
    ]


async def left_out_ids(database: Database, archive: Path, shards: Sequence[int], kind: str) -> set[str]:
    """Return the ids in files of days that have a quarantine, which rollups may leave out. kind: USER or SESSION.

    Raises OSError and sql.errors.DatabaseError.
    """
    rows = await database.rows(database.statements.list_held_files, list(shards))
    files = sorted({row["file"] for row in rows if row["is_quarantined"]})
    if files:
        await check_archive(database, archive)
    ids: set[str] = set()
    for start in range(0, len(files), FILES_AT_ONCE):
        ask = partial(ask_files, archive, files[start : start + FILES_AT_ONCE], "list_ids", kind=kind)
        ids.update(id_ for (id_,) in await in_thread(ask))
    return ids


def ask_files(archive: Path, files: Sequence[str], name: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement of DuckDB about persons in files. values: its parameters. Raises Unreadable."""
    try:
        with closing(connect(None, MEMORY, THREADS)) as duck:
            read_files(duck, [place_of(archive, file) for file in files]).create_view("archived")
            return duck.execute(statement(name), values).fetchall()
    except duckdb.Error as error:
        raise Unreadable(f"files of the archive cannot be read: {' '.join(str(error).split())}") from error


def _moment(microseconds: int) -> datetime:
    return BEGINNING + timedelta(microseconds=microseconds)
