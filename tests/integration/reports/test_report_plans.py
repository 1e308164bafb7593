"""Trends and filters read only the rows that they need, before the tables are analyzed and after."""

from __future__ import annotations

from datetime import timedelta

from service.reports.raw_events import RawEvents
from tests.support.busy_log import BUSY, DAY, SLACK, rows_read
from tests.support.engines import InProcess
from tests.support.oracle import HOUR
from tests.support.projection import fold
from tests.support.sharded import Sharded

COUNTED_READ = """
select relname, coalesce(idx_tup_fetch, 0) + seq_tup_read
from pg_stat_user_tables
where relname in ('hourly_counts', 'hourly_edges')
"""
COUNTED_ROWS = """
select
    (select count(*) from hourly_counts where hour >= $1 and hour < $2),
    (select count(*) from hourly_edges where bucket >= $1 and bucket < $2 and kind = 'session'),
    (select count(*) from hourly_edges where bucket >= $1 and bucket < $2)
"""


async def test_a_trend_reads_each_row_of_its_range_once(busy: Sharded) -> None:
    database, admin = busy.database, busy.admin
    await fold(database)
    await database.rows("select pg_stat_force_next_flush()")
    # When buckets divide hours, the query reads the counts of an hour a few times.
    for length, times in ((HOUR, 1), (DAY, 1), (timedelta(minutes=15), 5)):
        bounds = [BUSY + number * length for number in range(DAY // length + 1)]
        ((counts, *edges),) = await admin.fetch(COUNTED_ROWS, bounds[0], bounds[-1])
        for named, of_kinds in zip((["event_type"], ["users", "identified"]), edges, strict=True):
            await rows_read(admin, database.statements.read_trend, 0, bounds, named, None)
            read = {table: rows for table, rows in await admin.fetch(COUNTED_READ)}  # noqa: C416
            assert read["hourly_counts"] <= times * counts + SLACK
            assert read["hourly_edges"] <= of_kinds + SLACK


async def test_long_questions_are_planned_for_their_filters(database_url: str) -> None:
    raw_events = RawEvents(database_url, InProcess(database_url))
    ((mode,),) = await raw_events.rows("show plan_cache_mode")
    assert mode == "force_custom_plan"
    await raw_events.close()
