"""The heads of the chains of seals, to be kept elsewhere, and their check against such a copy.

What a copy says can only have been there then: whoever rewrites seals later, hashes and all, cannot rewrite the copy.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sql.database import Database


class SealHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest seal of a shard: its place in the chain from 1, the hour it seals, and its SHA-256 in hex."""

    shard: int
    sequence: int
    hour: str
    hash: str


async def seal_heads(database: Database) -> list[SealHead]:
    """Return the head of each chain that has begun."""
    rows = await database.rows(database.statements.list_seal_heads)
    return [SealHead(row["shard"], row["sequence"], f"{row['hour']:%Y-%m-%dT%H:%MZ}", row["hash"]) for row in rows]


def read_heads(lines: Iterable[str]) -> list[SealHead]:
    """Return the heads that a copy holds, one JSON object a line. Raises msgspec.DecodeError naming the field."""
    return [msgspec.json.decode(line, type=SealHead) for line in lines if line.strip()]


async def missing_heads(database: Database, copy: Iterable[SealHead]) -> list[SealHead]:
    """Return the heads of a copy that are not in the chains any more."""
    missing = []
    for head in copy:
        rows = await database.rows(database.statements.read_seal, head.shard, head.sequence)
        if [row["hash"] for row in rows] != [head.hash]:
            missing.append(head)
    return missing
