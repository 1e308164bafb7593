"""Erase persons from a log of days long past, beside a plain oracle that never knew them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg

from projections.erasing.certificate import complete
from projections.erasing.erasure import Erasing, Outcome
from projections.erasing.subject import SESSION, USER, Subject
from projections.history import History
from service.ingest.event import Event
from sql.database import Database
from tests.support.archive import files_of, plain_duck
from tests.support.history import Past
from tests.support.log import append
from tests.support.retired_days import past
from tests.support.sharded import Sharded

KEY = bytes(range(32))
# The first version of PostgreSQL that can clear the statistics of an empty table.
CLEARS_STATISTICS = 18
TABLES = """
select c.oid::regclass::text as name
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
union all
select 'pg_statistic'
order by 1
"""
# A row as pg_dump would write it.
ROWS = "select count(*) from {} as t where strpos(t::text, $1) > 0"


def user(name: str) -> Subject:
    return Subject(USER, name)


def session(name: str) -> Subject:
    return Subject(SESSION, name)


def without(events: Iterable[Event], subject: Subject, *, named: bool = False) -> list[Event]:
    """Return the events of a history in which a person never was."""
    events = list(events)
    if subject.kind == SESSION:
        return [event for event in events if event.session_id != subject.id]
    sessions = {event.session_id for event in events if event.user_id == subject.id}
    if named:
        sessions -= {event.session_id for event in events if event.user_id not in (None, subject.id)}
    return [event for event in events if event.user_id != subject.id and event.session_id not in sessions]


def erasing(log: Sharded, archive: Path, subject: Subject, **more: Any) -> Erasing:
    history = History(log.database, archive, patience=20, pauses=(0.05,))
    return Erasing(log.database, archive, history, 0, range(log.shards), subject, **more)


async def erase(work: Erasing) -> dict[str, Any]:
    """Erase a person of whom nothing has to wait; return the certificate."""
    outcome = await work.run(work.subject.hashed(KEY))
    assert outcome.waits == {}
    return await complete(work.database, outcome, no_file)


def no_file(certificate: dict[str, Any]) -> None:
    """Take a certificate, and write it nowhere."""
    assert certificate["hash"]


async def erase_from(days: Past, subject: Subject, **more: Any) -> dict[str, Any]:
    """Erase a person from a log of days long past, and from its oracle."""
    certificate = await erase(work_on(days, subject, **more))
    if not more.get("keep_counts"):
        days.events = without(days.events, subject, named=more.get("named", False))
    return certificate


def work_on(days: Past, subject: Subject, **more: Any) -> Erasing:
    return replace(erasing(days.log, days.archive, subject, **more), history=days.history)


async def begun(work: Erasing) -> Outcome:
    return await work.run(work.subject.hashed(KEY))


async def where_it_is(admin: asyncpg.Connection, archive: Path | None, text: str) -> list[str]:
    """Return the tables whose rows hold a text, and the files of the archive that do once DuckDB has unpacked them."""
    tables = [row["name"] for row in await admin.fetch(TABLES)]
    if admin.get_server_version().major < CLEARS_STATISTICS:
        tables.remove("pg_statistic")
    found = [name for name in tables if await admin.fetchval(ROWS.format(name), text)]
    if archive is not None:
        found += [file for file in files_of(archive) if file.endswith(".parquet") and _in_file(archive / file, text)]
    return found


def _in_file(file: Path, text: str) -> bool:
    with plain_duck() as duck:
        rows = duck.execute("select * from read_parquet($1, hive_partitioning = false)", [str(file)]).fetchall()
    return any(text in str(value) for row in rows for value in row)


async def send_again(database: Database, events: Sequence[Event], shards: int, log: Sharded) -> set[str]:
    """Send events again as an outbox does; return the outcomes of all."""
    outcomes: set[str] = set()
    for shard in range(shards):
        if some := log.of_shard(shard, events):
            told = await append(database, some, shard=shard, clock=past(4))
            outcomes |= {told.get(place, "stored") for place in range(len(some))}
    return outcomes
