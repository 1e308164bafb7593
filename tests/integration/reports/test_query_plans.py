"""Hot functions read only the rows that they need, before the tables are analyzed as well as after."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from service.ingest.event import Event
from sql.database import Database
from sql.days import make_days
from tests.conftest import RETENTION_DAYS
from tests.support.busy_log import (
    BUSY,
    DAY,
    DAYS_READ,
    END,
    INSIDE,
    SLACK,
    TAIL,
    busy_events,
    rows_read,
    tail_events,
    within,
)
from tests.support.oracle import HOUR
from tests.support.sharded import Sharded

SIZES = """
select
    (select count(*) from events where timestamp >= $1 and timestamp < $1 + interval '1 hour'),
    (select count(*) from hourly_members where hour_of(bucket) = $1),
    (select count(*) from hourly_edges where hour_of(bucket) = $1),
    (select count(*) from hourly_edges where bucket >= $1 and bucket < $1 + interval '25 hours'),
    (select count(*) from hourly_members where kind = 'user' and bucket >= $1 and bucket < $1 + interval '24 hours')
"""
EDGES_PLAN = "explain select * from hourly_edges_recount(0, 1, quarters_of($1))"


async def test_functions_read_what_they_need(busy: Sharded) -> None:
    database, admin, tail = busy.database, busy.admin, tail_events()
    statements = database.statements
    (sizes,) = await admin.fetch(SIZES, BUSY)
    in_hour, members, edges, edges_of_day, _ = sizes
    assert min(in_hour, members) > 2 * SLACK

    # These statements read the tail by its positions. By the primary key they read each session's newest quarter and,
    # because these events are late, both neighbours. A count of events needs no members; a fold needs all three kinds.
    by_position = {("events", "shard_position_idx"): TAIL, ("hourly_edges", "pkey"): edges_of_day}
    neighbours = by_position | {("hourly_members", "pkey"): 3 * TAIL}
    of_all_kinds = by_position | {("hourly_members", "pkey"): 3 * 3 * TAIL}
    within(await rows_read(admin, statements.read_hourly, 0, BUSY, BUSY + DAY, None), neighbours)
    assert await admin.fetchval(DAYS_READ) == 3
    read = await rows_read(admin, statements.count_events, 0, INSIDE, END)
    within(read, by_position | {("events", "pkey"): in_hour // 2})
    for quarters in (0, 1):
        bounds = [BUSY + quarters * timedelta(minutes=15) + hour * HOUR for hour in range(25)]
        within(await rows_read(admin, statements.read_trend, 0, bounds, [], None), neighbours)
        of_people = await rows_read(admin, statements.read_trend, 0, bounds, ["users", "identified"], None)
        within(of_people, of_all_kinds)
    within(await rows_read(admin, statements.fold_hourly, 0, 1, 50_000), of_all_kinds)

    # These statements read one hour by its timestamps, its members, and the neighbours of each member.
    of_hour = {("events", "pkey"): in_hour, ("hourly_members", "by_hour"): 2 * members}
    within(await rows_read(admin, statements.check_log, 0, BUSY), of_hour)
    read = await rows_read(admin, statements.verify_hourly, 0, 1, BUSY)
    of_edges = {("hourly_members", "pkey"): 2 * members, ("hourly_edges", "pkey"): 2 * edges}
    within(read, of_hour | of_edges | {("events", "pkey"): 2 * in_hour})
    read = await rows_read(admin, statements.rebuild_hourly, 0, 1, BUSY)
    within(read, of_hour | {("hourly_members", "pkey"): 3 * members, ("hourly_edges", "pkey"): 4 * edges})

    # A list of hours reads about one event of each hour.
    read = await rows_read(admin, statements.list_hours, 0, 1, None, None, True)
    assert read["events", "pkey"] < 3 * 24 + SLACK
    assert read["events", "shard_position_idx"] == read["events", "whole"] == 0

    # An append reads the holder of each id.
    read = await rows_read(admin, statements.append_events, 0, RETENTION_DAYS, None, *columns(tail), None)
    within(read, {("events", "pkey"): 3 * TAIL})


async def test_users_of_all_shards_are_read_by_the_hour(busy: Sharded) -> None:
    """The query reads the users of the range, and for each user the rows before it; it reads the tail twice."""
    database, admin = busy.database, busy.admin
    ((*_, edges, users),) = await admin.fetch(SIZES, BUSY)
    bounds = [BUSY + hour * HOUR for hour in range(25)]
    read = await rows_read(admin, database.statements.read_people, [0], bounds, ["users", "identified"], None)
    of_members = {("hourly_members", "by_hour"): users, ("hourly_members", "pkey"): 4 * 3 * TAIL + users}
    within(read, of_members | {("events", "shard_position_idx"): 2 * TAIL, ("hourly_edges", "pkey"): edges})


async def test_edges_of_an_hour_are_not_looked_for_in_all_sessions(busy: Sharded) -> None:
    """PostgreSQL does not count the entries that a skip scan passes over, so the test reads the plan."""
    admin = busy.admin
    plan = await admin.fetch(EDGES_PLAN, BUSY)
    conditions = [line for (line,) in plan if "Index Cond" in line and "ANY" in line]
    assert len(conditions) == 1
    assert "date_bin" in conditions[0]


def columns(events: list[Event]) -> list[list[object]]:
    return [list(column) for column in zip(*events, strict=True)]


async def test_an_appender_whose_plans_are_of_an_empty_day_finds_duplicates_fast(
    database: Database, admin: asyncpg.Connection
) -> None:
    """A connection keeps its plans until the day is analyzed."""
    append_some = (database.statements.append_events, 0, RETENTION_DAYS, None)
    events = busy_events()[:6_000]
    await make_days(database, RETENTION_DAYS, None, {event.timestamp.date() for event in events})
    for _ in range(8):
        await admin.fetch(*append_some, *columns(events[:10]), None)
    await admin.fetch(*append_some, *columns(events), None)
    within(await rows_read(admin, *append_some, *columns(events[-TAIL:]), None), {("events", "pkey"): 3 * TAIL})
