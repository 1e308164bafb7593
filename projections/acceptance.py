"""Damage that is accepted: an hour whose events are not those that were appended, and never will be, goes on (R11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sql import VERSION
from sql.database import Database
from sql.errors import DatabaseError, Unreadable


class NotAccepted(DatabaseError):
    """The damage of an hour cannot be accepted, or there is none."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Damage that was accepted.

    before, after: how many events were appended to the hour, and how many are there. of_total: by how much the shard's
    total changed; 0 when the ledger was wrong and not the log. link: the amendment's place in the shard's chain.
    """

    shard: int
    hour: datetime
    before: int
    after: int
    of_total: int
    reason: str
    asked_by: str
    at: datetime
    link: int


async def accept_damage(
    database: Database, shard: int, hour: datetime, reason: str, asked_by: str, clock: datetime | None = None
) -> None:
    """Accept what an hour holds instead of what was appended. clock: None for the database's.

    Raises NotAccepted, and sql.errors.DatabaseError.
    """
    statements = database.statements
    gap = await _gap(database, shard)
    try:
        async with database.transaction() as session:
            await session.only(statements.hold_day, hour)
            why = reason, asked_by, VERSION, clock
            row = await session.only(statements.accept_damage, shard, hour, gap, *why)
    except Unreadable as error:
        raise NotAccepted(f"the hour cannot be read, so that nothing says what is there: {error}") from error
    if row["hindrance"] is not None:
        raise NotAccepted(str(row["hindrance"]))


async def _gap(database: Database, shard: int) -> int | None:
    """Return how many events more there are in a shard than were ever stored; None when they cannot be counted."""
    try:
        async with database.transaction() as session:
            await session.rows(database.statements.hold_log)
            row = await session.only(database.statements.check_totals, shard)
    except Unreadable:
        return None
    return int(row["live"] + row["retired"] + row["erased"] - row["stored"])


async def list_accepted(
    database: Database,
    shards: Sequence[int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Accepted]:
    """Return the damage that was accepted of the hours in [since, until); None: no bound."""
    rows = await database.rows(database.statements.list_accepted, shards, since, until)
    return [Accepted(*row) for row in rows]
