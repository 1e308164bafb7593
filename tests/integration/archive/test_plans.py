"""Rows of gaps are found by their time, and by an index of what the question asks for, before analysis and after."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import pytest

from sql.database import Database
from tests.support.busy_log import BUSY, DAY, DAYS_READ, EVENTS, FIRST, SLACK, fill, rows_read
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, start_of

COLUMNS = ["event_type", "timestamp"]
NONE = [None] * 5
ANY_PROPERTIES = [None] * 3


async def in_time(admin: asyncpg.Connection, since: datetime, until: datetime) -> int:
    return int(
        await admin.fetchval("select count(*) from events where timestamp >= $1 and timestamp < $2", since, until)
    )


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_gaps_read_their_own_rows_once(database: Database, admin: asyncpg.Connection, *, analyzed: bool) -> None:
    await append(database, [an_event(EVENTS, at=BUSY, kind="kind_rare")])
    await fill(database, admin, analyzed=analyzed)
    await admin.execute("set plan_cache_mode = 'force_custom_plan'")
    day = start_of(BUSY, DAY)
    # One tail, many gaps of a day, and all that there is.
    quarters = [day + number * timedelta(minutes=30) for number in range(48)]
    for starts, length in (([BUSY], HOUR), (quarters, timedelta(minutes=15)), ([FIRST], 3 * DAY)):
        gaps = [0] * len(starts), starts, [start + length for start in starts]
        wanted = sum([await in_time(admin, start, start + length) for start in starts])
        read = await rows_read(
            admin,
            database.statements.copy_events,
            *gaps,
            starts[0],
            starts[-1] + length,
            COLUMNS,
            *NONE,
            len(starts) == 1,
            *ANY_PROPERTIES,
        )
        assert wanted <= sum(read.values()) <= wanted + SLACK * len(starts)
    # A rare type of a day by its index.
    asked: tuple[object, ...] = (
        [0],
        [day],
        [day + DAY],
        day,
        day + DAY,
        COLUMNS,
        ["kind_rare"],
        *NONE[1:],
        True,
        *ANY_PROPERTIES,
    )
    read = await rows_read(admin, database.statements.copy_events, *asked)
    assert await admin.fetchval(DAYS_READ) == 1
    assert read["events", "event_type_timestamp_idx"] == 1 or not analyzed
    # One user's events of a day, by an index that has no time.
    asked = [0], [day], [day + DAY], day, day + DAY, COLUMNS, None, None, ["u7"], None, None, True, *ANY_PROPERTIES
    read = await rows_read(admin, database.statements.copy_events, *asked)
    assert await admin.fetchval(DAYS_READ) == 1
    assert sum(read.values()) <= 100 or not analyzed
    assert sum(read.values()) < EVENTS
