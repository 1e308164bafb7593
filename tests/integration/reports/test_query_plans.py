"""Hot statements read only the rows that they need, before the tables are analyzed as well as after.

The tests judge functions by PostgreSQL's counts of the rows that each scan read, because EXPLAIN does not look into
functions.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.ingest.event import Event
from service.questions.filters import NOTHING, Filters
from service.reports.raw_events import RawEvents
from sql.database import Database
from sql.statements import load
from tests.conftest import RETENTION_DAYS
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, start_of
from tests.support.projection import START, fold

EVENTS = 20_000
TAIL = 500
DAY = 24 * HOUR
FIRST = start_of(START, DAY) - DAY
# An hour in the middle of the events, and a moment of it that is not a border of a quarter.
BUSY = FIRST + 30 * HOUR
INSIDE = BUSY + timedelta(minutes=7)
END = datetime.max.replace(tzinfo=UTC)
# Rows that a good plan may read too: at the ends of an index, and the first row after a range.
SLACK = 30
READ = """
select relname, 'whole' as scan, seq_tup_read as rows from pg_stat_user_tables
union all
select relname, indexrelname, idx_tup_read from pg_stat_user_indexes
"""
SIZES = """
select
    (select count(*) from events where timestamp >= $1 and timestamp < $1 + interval '1 hour'),
    (select count(*) from hourly_members where hour_of(bucket) = $1),
    (select count(*) from hourly_edges where hour_of(bucket) = $1),
    (select count(*) from hourly_edges where bucket >= $1 and bucket < $1 + interval '25 hours'),
    (select count(*) from hourly_members where kind = 'user' and bucket >= $1 and bucket < $1 + interval '24 hours')
"""
EDGES_PLAN = "explain select * from hourly_edges_recount(0, 1, quarters_of($1))"
IN_DAY = "select count(*) from events where timestamp >= $1 and timestamp < $1 + interval '1 day'"
DAYS_READ = "select count(*) from pg_stat_user_tables where relname like 'events\\_%' and seq_scan + idx_scan > 0"
Read = Counter[tuple[str, str]]


def busy_events() -> list[Event]:
    """Return events of three whole days: 1,500 sessions of up to an hour, and 500 users."""
    chance = random.Random(1)
    started = [FIRST + timedelta(seconds=chance.randrange(71 * 3_600)) for _ in range(1_500)]
    return [
        an_event(
            number,
            at=started[session] + timedelta(seconds=chance.randrange(3_600)),
            session=f"s{session}",
            kind=f"kind_{chance.randrange(10)}",
            tool=chance.choice(["Home", "Search", "Map", None]),
        )._replace(user_id=f"u{session // 3}")
        for number in range(EVENTS)
        for session in [chance.randrange(1_500)]
    ]


async def fill(database: Database, admin: asyncpg.Connection, *, analyzed: bool) -> list[Event]:
    """Append and fold all events, then append a tail that stays unfolded; return the tail."""
    events = busy_events()
    for place in range(0, EVENTS, 1_000):
        await append(database, events[place : place + 1_000])
    await fold(database)
    if analyzed:
        await admin.execute("analyze")
    tail = [event._replace(event_id=f"tail_{event.event_id}") for event in events[: EVENTS : EVENTS // TAIL]]
    await append(database, tail)
    # Flush now; otherwise this connection's reads would count toward a later statement.
    await database.rows("select pg_stat_force_next_flush()")
    return tail


async def rows_read(admin: asyncpg.Connection, query: str, *arguments: object) -> Read:
    """Run a statement; return how many rows it read of events (all days), members and edges, by table and index."""
    await admin.execute("select pg_stat_force_next_flush()")
    await admin.execute("select pg_stat_reset()")
    await admin.fetch(query, *arguments)
    await admin.execute("select pg_stat_force_next_flush()")
    read: Read = Counter()
    for table, scan, rows in await admin.fetch(READ):
        if rows and table.startswith(("events_", "hourly_members", "hourly_edges")):
            read[table.split("_2")[0], scan.removeprefix(table).strip("_")] += rows
    return read


# Filters of event lists. Each uses a leading index of its own.
LISTS = {
    "session": Filters(session_id="s7"),
    "user": Filters(user_id="u7"),
    "tool": Filters(tool_name="Rare"),
    "type": Filters(event_type="kind_rare"),
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_functions_read_what_they_need(database: Database, admin: asyncpg.Connection, *, analyzed: bool) -> None:
    tail = await fill(database, admin, analyzed=analyzed)
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
    read = await rows_read(admin, statements.list_hours, 0, 1, None, None)
    assert read["events", "pkey"] < 3 * 24 + SLACK
    assert read["events", "shard_position_idx"] == read["events", "whole"] == 0

    # An append reads the holder of each id.
    read = await rows_read(admin, statements.append_events, 0, RETENTION_DAYS, None, *columns(tail))
    within(read, {("events", "pkey"): 3 * TAIL})


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_users_of_all_shards_are_read_by_the_hour(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    """The query reads the users of the range, and for each user the rows before it; it reads the tail twice."""
    await fill(database, admin, analyzed=analyzed)
    ((*_, edges, users),) = await admin.fetch(SIZES, BUSY)
    bounds = [BUSY + hour * HOUR for hour in range(25)]
    read = await rows_read(admin, database.statements.read_people, bounds, ["users", "identified"], None)
    of_members = {("hourly_members", "by_hour"): users, ("hourly_members", "pkey"): 4 * 3 * TAIL + users}
    within(read, of_members | {("events", "shard_position_idx"): 2 * TAIL, ("hourly_edges", "pkey"): edges})


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_edges_of_an_hour_are_not_looked_for_in_all_sessions(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    """PostgreSQL does not count the entries that a skip scan passes over, so the test reads the plan."""
    await fill(database, admin, analyzed=analyzed)
    plan = await admin.fetch(EDGES_PLAN, BUSY)
    conditions = [line for (line,) in plan if "Index Cond" in line and "ANY" in line]
    assert len(conditions) == 1
    assert "date_bin" in conditions[0]


def columns(events: list[Event]) -> list[list[object]]:
    return [list(column) for column in zip(*events, strict=True)]


def within(read: Read, most: dict[tuple[str, str], int]) -> None:
    """Assert that no index read more rows than allowed, and that no other index read any."""
    assert {name: rows for name, rows in read.items() if rows > most.get(name, 0) * 1.1 + SLACK} == {}


async def test_an_appender_whose_plans_are_of_an_empty_day_finds_duplicates_fast(
    database: Database, admin: asyncpg.Connection
) -> None:
    """A connection keeps its plans until the day is analyzed."""
    append_some = (database.statements.append_events, 0, RETENTION_DAYS, None)
    events = busy_events()[:6_000]
    for _ in range(8):
        await admin.fetch(*append_some, *columns(events[:10]))
    await admin.fetch(*append_some, *columns(events))
    within(await rows_read(admin, *append_some, *columns(events[-TAIL:])), {("events", "pkey"): 3 * TAIL})


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


INDEXES = {
    "session": "session_id_idx",
    "user": "user_id_event_type_idx",
    "tool": "tool_name_timestamp_idx",
    "type": "event_type_timestamp_idx",
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_lists_read_what_they_name(
    database: Database, admin: asyncpg.Connection, subtests: pytest.Subtests, *, analyzed: bool
) -> None:
    rare = an_event(EVENTS, at=BUSY, session="s7", kind="kind_rare", tool="Rare")._replace(user_id="u7")
    await append(database, [rare])
    await fill(database, admin, analyzed=analyzed)
    since, end = FIRST, END
    for lead, filters in LISTS.items():
        with subtests.test(lead):
            listing, counting = (
                getattr(database.statements, f"{name}_of_{lead}") for name in ("list_events", "count_matching")
            )
            page = (since, 1_001, end, "", 0, filters.document())
            # Execute it often enough that PostgreSQL may switch to a generic plan.
            for _ in range(8):
                await admin.fetch(listing, *page)
                await admin.fetch(counting, since, end, filters.document())
            total = await admin.fetchval(counting, since, end, filters.document())
            assert 0 < total == len(await admin.fetch(listing, *page)) < 100
            allowed = {("events", INDEXES[lead]): total}
            within(await rows_read(admin, listing, *page), allowed)
            within(await rows_read(admin, counting, since, end, filters.document()), allowed)


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_timelines_read_what_is_of_their_session_or_user(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    events = [*busy_events(), *await fill(database, admin, analyzed=analyzed)]
    statements = database.statements
    until, place = FIRST + 4 * DAY, (FIRST, "", 0)
    of_session = sum(event.session_id == "s7" for event in events)
    of_user = sum(event.user_id == "u7" for event in events)
    assert 0 < of_session < of_user < 100
    for most, index, query, *arguments in (
        (of_session, "session", statements.read_session, "s7", FIRST, until, 100),
        (of_session, "session", statements.list_session, "s7", FIRST, until, 1_001, *place),
        (of_user, "user", statements.read_user, "u7", FIRST, until, 100),
    ):
        # Execute it often enough that PostgreSQL may switch to a generic plan.
        for _ in range(8):
            await admin.fetch(query, *arguments)
        within(await rows_read(admin, query, *arguments), {("events", INDEXES[index]): most})


async def test_a_page_of_all_events_reads_a_page(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database, admin, analyzed=True)
    query = database.statements.list_events
    arguments = (FIRST, 101, BUSY, "", 0, NOTHING.document())
    for _ in range(8):
        assert len(await admin.fetch(query, *arguments)) == 101
    within(await rows_read(admin, query, *arguments), {("events", "pkey"): 101})


async def test_a_plan_tests_only_the_filters_that_are_asked_for(admin: asyncpg.Connection) -> None:
    counting = f"explain {load().count_matching}"
    for filters, tested in ((NOTHING, set()), (Filters(action="open"), {"(action = 'open'::text)"})):
        plan = await admin.fetch(counting, FIRST, FIRST + DAY, filters.document())
        assert {line.partition("Filter: ")[2] for (line,) in plan if "Filter: " in line} == tested


async def test_long_questions_are_planned_for_their_filters(database_url: str) -> None:
    raw_events = RawEvents(database_url)
    ((mode,),) = await raw_events.rows("show plan_cache_mode")
    assert mode == "force_custom_plan"
    await raw_events.close()
