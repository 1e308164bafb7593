"""A plan that is made while a day is attached does not miss that day for good."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from sql.database import Database
from tests.support.log import an_event, append, until_waited_for
from tests.support.projection import START

# What reads the log within plans that connections keep.
READS = [
    "select events from found_in_log(0, $1)",
    "select sum(amount) from hourly_recount(0, $1, 100) where dimension = 'event_type'",
    "select live from check_totals(0) where $1::timestamptz is not null",
    "select count(newest_received()) where $1::timestamptz is not null",
]
ATTACH = """
create table events_{0:%Y%m%d} (like events including all);
alter table events attach partition events_{0:%Y%m%d}
    for values from ('{0:%Y-%m-%d} 00:00+00') to ('{1:%Y-%m-%d} 00:00+00')
"""


@pytest.mark.parametrize("read", READS, ids=lambda read: str(read).split("(")[0].split()[-1])
async def test_a_kept_plan_finds_a_day_that_came_while_it_was_made(
    database_url: str, database: Database, admin: asyncpg.Connection, read: str
) -> None:
    """Planning locks each day that it has found. Here it waits for one of them while another day is attached.

    The day is attached as make_day does, but without its lock on all days.
    """
    attacher = await asyncpg.connect(database_url)
    keeps = {"plan_cache_mode": "force_generic_plan"}
    reader = await asyncpg.connect(database_url, server_settings=keeps)
    kept = await reader.prepare(read)
    async with admin.transaction():
        await admin.execute(f"lock table events_{datetime.now(UTC):%Y%m%d} in access exclusive mode")
        planning = asyncio.create_task(kept.fetchval(START))
        await until_waited_for(admin)
        await attacher.execute(ATTACH.format(START, START + timedelta(days=1)))
    await planning
    assert await append(database, [an_event(1, at=START)]) == {}
    assert await kept.fetchval(START) == 1
    await reader.close()
    await attacher.close()
