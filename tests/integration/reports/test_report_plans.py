"""Trends, funnels and their filters read only the rows that they need, before the tables are analyzed and after."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from service.questions.filters import NOTHING, Filters
from service.reports.raw_events import RawEvents
from sql.database import Database
from sql.days import make_days
from sql.statements import load
from tests.conftest import RETENTION_DAYS
from tests.support.busy_log import BUSY, DAY, DAYS_READ, EVENTS, FIRST, LISTS, SLACK, fill, rows_read
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, start_of
from tests.support.projection import fold

IN_DAY = "select count(*) from events where timestamp >= $1 and timestamp < $1 + interval '1 day'"
IN_HOUR = "select count(*) from events where timestamp >= $1 and timestamp < $1 + interval '1 hour'"
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


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_a_trend_reads_each_row_of_its_range_once(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    await append(database, [an_event(EVENTS, at=BUSY, kind="kind_rare")])
    await fill(database, admin, analyzed=analyzed)
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

    # From raw events it reads one day, or one type by its index.
    day = start_of(BUSY, DAY)
    asked: tuple[object, ...] = (0, [day, day + DAY], [], None, None, LISTS["type"].document())
    found = await admin.fetch(database.statements.trend_from_events, *asked)
    assert [row["amount"] for row in found if row["measure"] == "event_type"] == [1]
    events_read = await rows_read(admin, database.statements.trend_from_events, *asked)
    assert await admin.fetchval(DAYS_READ) == 1
    assert events_read["events", "event_type_timestamp_idx"] == 1 or not analyzed
    assert sum(events_read.values()) <= EVENTS

    # Minutes of an hour read that hour alone, by the index of time.
    minutes = [BUSY + number * timedelta(minutes=1) for number in range(61)]
    in_hour = await admin.fetchval(IN_HOUR, BUSY)
    events_read = await rows_read(
        admin, database.statements.trend_from_events, 0, minutes, ["sessions"], None, None, NOTHING.document()
    )
    assert await admin.fetchval(DAYS_READ) == 1
    assert in_hour <= sum(events_read.values()) <= in_hour + SLACK or not analyzed


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_a_funnel_reads_each_event_of_its_days_once_and_rare_steps_by_their_index(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    rare = [an_event(EVENTS + number, at=BUSY, kind=kind) for number, kind in enumerate(("kind_rare", "kind_rarer"))]
    await append(database, rare)
    await fill(database, admin, analyzed=analyzed)
    day = start_of(BUSY, DAY)
    in_day = await admin.fetchval(IN_DAY, day)
    for kinds in (["kind_1", "kind_2"], ["kind_rare", "kind_rarer"]):
        for by_user, strict in ((False, False), (True, False), (False, True)):
            nothing = [None] * len(kinds)
            steps = (kinds, nothing, nothing, nothing, nothing, "[null, null]")
            asked = (day, day + DAY, by_user, strict, 60, *steps, None, None, 10, 100, NOTHING.document())
            read = await rows_read(admin, database.statements.read_funnel, *asked)
            assert await admin.fetchval(DAYS_READ) == 1
            by_type = kinds[0] == "kind_rare" and analyzed and not strict
            assert sum(read.values()) <= (len(kinds) if by_type else in_day) + SLACK


async def test_a_plan_tests_only_the_filters_that_are_asked_for(database: Database, admin: asyncpg.Connection) -> None:
    await make_days(database, RETENTION_DAYS, None, [FIRST.date()])
    counting = f"explain {load().count_matching}"
    for filters, tested in ((NOTHING, set()), (Filters(action="open"), {"(action = 'open'::text)"})):
        plan = await admin.fetch(counting, FIRST, FIRST + DAY, filters.document())
        assert {line.partition("Filter: ")[2] for (line,) in plan if "Filter: " in line} == tested


async def test_long_questions_are_planned_for_their_filters(database_url: str) -> None:
    raw_events = RawEvents(database_url)
    ((mode,),) = await raw_events.rows("show plan_cache_mode")
    assert mode == "force_custom_plan"
    await raw_events.close()
