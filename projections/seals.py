"""The heads of the chains of seals, and their check against a copy that is kept elsewhere.

A later change of seals, hashes included, shows against the copy, because it cannot reach the copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from sql.database import Database


class SealHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest seal of a shard.

    sequence: its place in the chain, from 1. hour: the hour it seals, YYYY-MM-DDThh:mmZ. hash: SHA-256 in hex.
    """

    shard: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    sequence: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    hour: str
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


async def seal_heads(database: Database) -> list[SealHead]:
    """Return the newest seal of each shard that has one."""
    rows = await database.rows(database.statements.list_seal_heads)
    return [SealHead(row["shard"], row["sequence"], f"{row['hour']:%Y-%m-%dT%H:%MZ}", row["hash"]) for row in rows]


async def missing_heads(database: Database, copy: Iterable[SealHead]) -> list[SealHead]:
    """Return the heads of a copy that are no longer in the chains."""
    missing = []
    for head in copy:
        rows = await database.rows(database.statements.read_seal, head.shard, head.sequence)
        if [row["hash"] for row in rows] != [head.hash]:
            missing.append(head)
    return missing
