"""Checks that every event that was ever stored is live, retired or erased."""

from __future__ import annotations

from dataclasses import dataclass

from sql.database import Database
from sql.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Conservation:
    """How many events a shard ever stored, has live in the log, has retired, and has erased.

    stored = live + retired + erased unless events were lost or added. unreadable: why the events cannot be counted; the
    numbers are 0 then.
    """

    shard: int
    stored: int
    live: int
    retired: int
    erased: int = 0
    unreadable: str | None = None

    @property
    def holds(self) -> bool:
        """Return whether stored = live + retired + erased."""
        return self.unreadable is None and self.stored == self.live + self.retired + self.erased


async def conservation(database: Database) -> list[Conservation]:
    """Count each shard's events in the log and in all its records, in one snapshot per shard."""
    statements = database.statements
    counted = []
    for shard in await database.rows(statements.list_shards):
        try:
            async with database.transaction() as session:
                await session.rows(statements.hold_log)
                row = await session.only(statements.check_totals, shard["shard"])
        except Unreadable as error:
            counted.append(Conservation(shard["shard"], 0, 0, 0, unreadable=str(error)))
        else:
            counted.append(Conservation(shard["shard"], row["stored"], row["live"], row["retired"], row["erased"]))
    return counted
