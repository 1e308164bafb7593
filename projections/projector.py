"""Folds the log into the projection: claim a checkpoint, fold, advance, in one statement (R3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import structlog

from sql.database import Database, Row
from sql.days import make_days
from sql.errors import Unreadable
from sql.hourly import FILLING, PROJECTION

# Positions folded in one transaction while catching up; it takes a few tenths of a second.
FOLD_LIMIT = 50_000
# How many positions, of how many shards, one transaction folds together. It takes about as long as one append.
LITTLE = 2_000
SHARDS_TOGETHER = 50

log = structlog.get_logger(__name__)


async def step(database: Database, *, limit: int = FOLD_LIMIT) -> int:
    """Fold about `limit` positions of every shard and version; return how many positions were folded.

    Skips a checkpoint that another projector holds, and a version that a rebuild is filling. When a shard's events or
    rollups cannot be read, folds the other shards, and then raises Unreadable.
    """
    checkpoints = await database.rows(database.statements.list_checkpoints, PROJECTION)
    behind = [row for row in checkpoints if row["position"] < row["head"] and row["stage"] != FILLING]
    left = deque(_together(behind, limit))
    folded = 0
    unreadable: Unreadable | None = None
    while left:
        some = left.popleft()
        try:
            folded += await _fold(database, some, limit)
        except Unreadable as error:
            if len(some) == 1:
                unreadable = error
            left += [[each] for each in some if len(some) > 1]  # one by one, so that the others are folded
    if unreadable is not None:
        raise unreadable
    return folded


def _together(behind: Sequence[Row], limit: int) -> Iterator[list[Row]]:
    """Divide checkpoints into groups for one transaction each, so that many shards with a little cost few commits."""
    group: list[Row] = []
    positions = 0
    for row in behind:
        more = min(row["head"] - row["position"], limit)
        if group and (len(group) == SHARDS_TOGETHER or positions + more > LITTLE):
            yield group
            group, positions = [], 0
        group.append(row)
        positions += more
    if group:
        yield group


async def _fold(database: Database, checkpoints: Sequence[Row], limit: int) -> int:
    shards, versions = ([row[name] for row in checkpoints] for name in ("shard", "version"))
    rows = await database.rows(database.statements.fold_shards, shards, versions, limit)
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
    # Of many shards only a few have something to compact.
    for shard in await database.rows(statements.list_shards_to_compact):
        await database.only(statements.compact_receipts, shard["shard"])
    await make_days(database, retention_days)
