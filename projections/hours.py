"""The hours for verify and rebuild, and the loop that does several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sql.database import ONLY_ITS_DAY, Database
from sql.errors import DatabaseError, Unreadable
from sql.hourly import PROJECTION

Result = TypeVar("Result")
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Witness:
    """What a copy that is kept elsewhere knows of an hour: number and digest of its events up to a position.

    link: the place in the shard's chain of the newest amendment that it knows of, or a later one.
    """

    at: datetime
    position: int
    events: int
    digest: str
    link: int


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one shard in one version of the projection.

    events: how many were appended to the hour, by the log's own witnesses.
    """

    shard: int
    version: int
    start: datetime
    events: int
    witness: Witness | None = None


def hour_of(moment: datetime) -> datetime:
    """Return the start of a moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


async def live_versions(database: Database) -> dict[int, int]:
    """Return the live version of each shard.

    Raises DatabaseError when a shard has no live checkpoint, because then nothing says what its rollups should hold.
    """
    statements = database.statements
    checkpoints = await database.rows(statements.list_checkpoints, PROJECTION)
    live = {row["shard"]: row["version"] for row in checkpoints if row["live"]}
    for shard in await database.rows(statements.list_shards):
        if shard["shard"] not in live:
            raise DatabaseError(f"shard {shard['shard']} has no checkpoint of the live version of {PROJECTION}")
    return live


async def list_hours(
    database: Database, since: datetime | None, until: datetime | None, *, version: int | None = None
) -> list[Hour]:
    """Return the hours in [since, until) with rows in the log, witnesses, seals or projection: by shard, oldest first.

    An hour that cannot be read is listed, too. version: of the projection; the live one when None. Raises DatabaseError
    when a shard has no live checkpoint.
    """
    found: list[Hour] = []
    for shard, live in sorted((await live_versions(database)).items()):
        found += await hours_of_shard(database, shard, version or live, since, until)
    return found


async def hours_of_shard(
    database: Database, shard: int, version: int, since: datetime | None, until: datetime | None
) -> list[Hour]:
    """Return the hours of one shard; see `list_hours`."""
    try:
        return await _listed(database, shard, version, since, until)
    except Unreadable:
        span = await database.only(database.statements.read_span)
        if span["since"] is None:
            raise
        return await _readable_hours(database, shard, version, since or span["since"], until or span["until"])


async def _listed(
    database: Database,
    shard: int,
    version: int,
    since: datetime | None,
    until: datetime | None,
    *,
    log: bool = True,
) -> list[Hour]:
    """Return the hours of a range that can be read. log: also those that only the log knows."""
    async with database.transaction() as session:
        await session.configure(ONLY_ITS_DAY)
        rows = await session.rows(database.statements.list_hours, shard, version, since, until, log)
    return [Hour(shard, version, row["hour"], row["events"]) for row in rows]


async def _readable_hours(database: Database, shard: int, version: int, since: datetime, until: datetime) -> list[Hour]:
    """Return the hours of a range that cannot be read as a whole, by halves. Verify then says why an hour cannot be."""
    hours = (until - since) // HOUR
    if hours < 1:
        return []
    try:
        return await _listed(database, shard, version, since, until)
    except Unreadable:
        if hours == 1:
            return await _unreadable_hour(database, shard, version, since)
    middle = since + hours // 2 * HOUR
    return [
        *await _readable_hours(database, shard, version, since, middle),
        *await _readable_hours(database, shard, version, middle, until),
    ]


async def _unreadable_hour(database: Database, shard: int, version: int, start: datetime) -> list[Hour]:
    """Return an hour that cannot be read; none when its log alone cannot, and nothing was ever appended to it."""
    try:
        return await _listed(database, shard, version, start, start + HOUR, log=False)
    except Unreadable:
        return [Hour(shard, version, start, 0)]


async def each(
    hours: list[Hour], work: Callable[[Hour], Awaitable[Result]], *, at_a_time: int
) -> AsyncIterator[tuple[Hour, Result]]:
    """Do `work` for every hour, `at_a_time` of them at once; yield each hour and result in the order of `hours`."""
    running: list[tuple[Hour, asyncio.Task[Result]]] = []
    waiting = iter(hours)
    try:
        while True:
            while len(running) < at_a_time and (hour := next(waiting, None)) is not None:
                running.append((hour, asyncio.ensure_future(work(hour))))
            if not running:
                return
            hour, task = running.pop(0)
            yield hour, await task
    finally:
        for _, task in running:
            task.cancel()
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)
