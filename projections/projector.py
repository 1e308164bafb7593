"""Folds the log into the projection: claim a checkpoint, fold, advance, in one statement (R3)."""

from __future__ import annotations

from sql.database import Database
from sql.days import make_days
from sql.hourly import FILLING, PROJECTION

# Positions folded in one transaction while catching up; it takes a few tenths of a second.
FOLD_LIMIT = 50_000


async def step(database: Database, *, limit: int = FOLD_LIMIT) -> int:
    """Fold about `limit` positions of every shard and version; return how many positions were folded.

    Skips a checkpoint that another projector holds, and a version that a rebuild is filling.
    """
    folded = 0
    for checkpoint in await database.rows(database.statements.list_checkpoints, PROJECTION):
        if checkpoint["position"] < checkpoint["head"] and checkpoint["stage"] != FILLING:
            folded += await _fold(database, checkpoint["shard"], checkpoint["version"], limit)
    return folded


async def _fold(database: Database, shard: int, version: int, limit: int) -> int:
    rows = await database.rows(database.statements.fold_hourly, shard, version, limit)
    return sum(row["folded_upto"] - row["folded_after"] for row in rows)


async def catch_up(database: Database) -> int:
    """Fold all events appended before this call; return how many positions were folded.

    Leaves out checkpoints that another projector holds, and versions that a rebuild is filling.
    """
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
