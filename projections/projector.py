"""Folds the log into the projection: claim a checkpoint, fold, advance, in one statement (R3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from projections import hourly
from sql.database import Database
from sql.days import make_days
from sql.errors import DatabaseError

# How long events may lie unfolded while nothing happens; reads are fresh all the same (R8).
IDLE_SECONDS = 0.05
CLOCKWORK_SECONDS = 10.0
_LONGEST_PAUSE = 5.0

log = structlog.get_logger(__name__)


async def step(database: Database, *, limit: int = hourly.FOLD_LIMIT) -> int:
    """Fold at most `limit` positions of every shard; return how many positions were folded.

    A shard whose checkpoint another projector holds is left to it.
    """
    folded = 0
    for checkpoint in await database.rows(database.statements.list_checkpoints, hourly.NAME):
        if checkpoint["position"] < checkpoint["head"]:
            folded += await _fold(database, checkpoint["shard"], checkpoint["version"], limit)
    return folded


async def _fold(database: Database, shard: int, version: int, limit: int) -> int:
    rows = await database.rows(database.statements.fold_hourly, shard, version, limit)
    return sum(row["folded_upto"] - row["folded_after"] for row in rows)


async def catch_up(database: Database) -> int:
    """Fold until no shard has anything left that is not in other hands; return how many positions were folded."""
    total = 0
    while folded := await step(database):
        total += folded
    return total


async def tidy(database: Database, retention_days: int) -> None:
    """Do the clockwork once: horizon, days ahead, receipts compacted."""
    statements = database.statements
    for shard in await database.rows(statements.list_shards):
        await database.only(statements.advance_horizon, shard["shard"], retention_days, None)
        await database.only(statements.compact_receipts, shard["shard"])
    await make_days(database, retention_days)


async def follow(database: Database, retention_days: int, stop: asyncio.Event) -> None:
    """Fold and tidy until `stop` is set. A database that is away is waited for."""

    async def fold() -> bool:
        return await step(database) > 0

    async def clockwork() -> bool:
        await tidy(database, retention_days)
        return False

    await asyncio.gather(
        _repeat("fold", fold, IDLE_SECONDS, stop),
        _repeat("clockwork", clockwork, CLOCKWORK_SECONDS, stop),
    )


async def _repeat(name: str, work: Callable[[], Awaitable[bool]], pause: float, stop: asyncio.Event) -> None:
    """Do `work` over and over: at once after it returned True, after `pause` otherwise, after longer ones on errors."""
    failures = 0
    while not stop.is_set():
        try:
            busy = await work()
            failures = 0
        except DatabaseError as error:
            failures += 1
            busy = False
            log.warning("projector waits", work=name, error=str(error), failures=failures)
        if not busy:
            await _wait(stop, min(pause * 2**failures, max(pause, _LONGEST_PAUSE)))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
