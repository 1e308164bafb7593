"""Events for tests, and the log as tests write and read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from service.events import Event
from sql.database import Database
from tests.conftest import RETENTION_DAYS

NOW = datetime.now(UTC).replace(microsecond=0)


def an_event(
    number: int = 0,
    *,
    at: datetime = NOW,
    session: str = "s1",
    properties: str | None = None,
    kind: str = "page_viewed",
    tool: str | None = "Home",
) -> Event:
    return Event(f"evt_{number}", session, None, kind, tool, None, properties, True, at)


async def append(
    database: Database, events: Sequence[Event], *, shard: int = 0, clock: datetime | None = None
) -> dict[int, str]:
    """Append; return the outcome of each event that was not stored, by its place from 0."""
    columns = [list(column) for column in zip(*events, strict=True)]
    rows = await database.rows(database.statements.append_events, shard, RETENTION_DAYS, clock, *columns)
    return {row["ordinal"] - 1: row["outcome"] for row in rows}


async def stored(url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch("select * from events order by shard, position")
    finally:
        await connection.close()
