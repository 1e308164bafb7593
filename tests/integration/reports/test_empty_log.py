"""Rollups of a log without events."""

from __future__ import annotations

from datetime import UTC, datetime

from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database


async def test_the_first_hour_of_the_calendar_is_empty(database: Database) -> None:
    # The driver sends this hour as -infinity: hours that are counted from it would never end.
    rollups = Rollups(database, Shards(database), lambda: datetime(2026, 11, 23, tzinfo=UTC))
    answer = await rollups.one("0001-01-01T00:00Z")
    assert answer["rollup"]["total_events"] == 0
