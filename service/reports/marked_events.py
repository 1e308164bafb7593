"""Events in the form of answers, with a mark on those that quarantines leave out of the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.reports.event_pages import Event, event_of
from sql.database import Database

# What is_quarantined.sql looks at, in the order of list_quarantined_events.sql.
_JUDGED_BY = (
    "shard",
    "timestamp",
    "session_id",
    "user_id",
    "event_type",
    "tool_name",
    "action",
    "demo_mode",
    "properties",
)


async def marked(database: Database, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return events as answers have them. Only those that are left out have `quarantined`, which is true."""
    out = await _left_out(database, events) if events else set()
    return [event_of(event) | ({"quarantined": True} if at in out else {}) for at, event in enumerate(events, 1)]


async def _left_out(database: Database, events: Sequence[Event]) -> set[int]:
    """Return which events quarantines leave out, by their place from 1. PostgreSQL judges, wherever they are from."""
    moments = [event["timestamp"] for event in events]
    shards = sorted({event["shard"] for event in events})
    statements = database.statements
    if not (await database.only(statements.has_quarantined_days, shards, min(moments), max(moments)))["found"]:
        return set()
    columns = [[event[name] for event in events] for name in _JUDGED_BY]
    return {row["ordinal"] for row in await database.rows(statements.list_quarantined_events, *columns)}
