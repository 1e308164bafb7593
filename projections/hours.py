"""The hours for verify and rebuild, and the loop that does several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sql.database import Database
from sql.errors import DatabaseError
from sql.hourly import PROJECTION

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one shard in one version of the projection.

    events: how many were appended to the hour, by its witnesses.
    """

    shard: int
    version: int
    start: datetime
    events: int


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

    version: of the projection; the live one when None. Raises DatabaseError when a shard has no live checkpoint.
    """
    found: list[Hour] = []
    for shard, live in sorted((await live_versions(database)).items()):
        chosen = version or live
        rows = await database.rows(database.statements.list_hours, shard, chosen, since, until)
        found += [Hour(shard, chosen, row["hour"], row["events"]) for row in rows]
    return found


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
