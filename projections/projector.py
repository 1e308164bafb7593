"""Folds the log into the projection: claim a checkpoint, fold, advance, in one statement (R3)."""

from __future__ import annotations

import structlog

from sql.database import Database
from sql.days import make_days
from sql.errors import Unreadable
from sql.hourly import FILLING, PROJECTION

# Positions folded in one transaction while catching up; it takes a few tenths of a second.
FOLD_LIMIT = 50_000

log = structlog.get_logger(__name__)


async def step(database: Database, *, limit: int = FOLD_LIMIT) -> int:
    """Fold about `limit` positions of every shard and version; return how many positions were folded.

    Skips a checkpoint that another projector holds, and a version that a rebuild is filling. When a shard's events or
    rollups cannot be read, folds the other shards, and then raises Unreadable.
    """
    folded = 0
    unreadable: Unreadable | None = None
    for checkpoint in await database.rows(database.statements.list_checkpoints, PROJECTION):
        if checkpoint["position"] < checkpoint["head"] and checkpoint["stage"] != FILLING:
            try:
                folded += await _fold(database, checkpoint["shard"], checkpoint["version"], limit)
            except Unreadable as error:
                unreadable = error
    if unreadable is not None:
        raise unreadable
    return folded


async def _fold(database: Database, shard: int, version: int, limit: int) -> int:
    rows = await database.rows(database.statements.fold_hourly, shard, version, limit)
    return sum(row["folded_upto"] - row["folded_after"] for row in rows)


async def catch_up(database: Database) -> int:
    """Fold all events appended before this call; return how many positions were folded.

    Leaves out checkpoints that another projector holds, versions that a rebuild is filling, and events that cannot be
    read.
    """
    try:
        return await _catch_up(database)
    except Unreadable as error:
        log.error("events cannot be folded", error=str(error))  # noqa: TRY400  # the error says enough
        return 0


async def _catch_up(database: Database) -> int:
    statements = database.statements
    heads = {row["shard"]: row["head"] for row in await database.rows(statements.list_checkpoints, PROJECTION)}
    total = 0
    while folded := await step(database):
        total += folded
        checkpoints = await database.rows(statements.list_checkpoints, PROJECTION)
        if all(row["position"] >= heads[row["shard"]] for row in checkpoints if row["stage"] != FILLING):
            break  # events appended meanwhile can wait; under load there are always more
    return total


async def tidy(database: Database, retention_days: int) -> None:
    """Compact receipts and make the days ahead, once. retention_days: for a log that has recorded none."""
    statements = database.statements
    for shard in await database.rows(statements.list_shards):
        await database.only(statements.compact_receipts, shard["shard"])
    await make_days(database, retention_days)
