"""A log of three busy days, and the rows that a statement reads of it.

The numbers are PostgreSQL's counts of the rows that each scan read, because EXPLAIN does not look into functions.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg

from service.ingest.event import Event
from sql.database import Database
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


def tail_events() -> list[Event]:
    """Return the events that come last and stay unfolded: some of the others, under new ids."""
    return [event._replace(event_id=f"tail_{event.event_id}") for event in busy_events()[: EVENTS : EVENTS // TAIL]]


async def fill(database: Database, admin: asyncpg.Connection, *, analyzed: bool) -> None:
    """Append and fold all events, then append a tail that stays unfolded."""
    events = busy_events()
    for place in range(0, EVENTS, 1_000):
        await append(database, events[place : place + 1_000])
    await fold(database)
    if analyzed:
        await admin.execute("analyze")
    await append(database, tail_events())
    # Flush now; otherwise this connection's reads would count toward a later statement.
    await database.rows("select pg_stat_force_next_flush()")


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


def within(read: Read, most: dict[tuple[str, str], int]) -> None:
    """Assert that no index read more rows than allowed, and that no other index read any."""
    assert {name: rows for name, rows in read.items() if rows > most.get(name, 0) * 1.1 + SLACK} == {}
