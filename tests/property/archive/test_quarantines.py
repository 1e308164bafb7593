"""PostgreSQL and DuckDB leave out the same events, for every condition."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from service.archive.checks import checks_of
from service.archive.list_questions import END
from service.archive.quarantines import read_quarantines
from service.archive.questions import Trend
from service.archive.snapshot import Stretch
from service.archive.source import passing
from service.ingest.event import Event
from service.questions.condition_grammar import parse_conditions
from service.questions.hours import FIRST
from service.questions.predicates import predicate
from sql.archive.duck import connect
from tests.support.archive_parts import LAYOUTS, parts_of
from tests.support.hard_events import HOURS, UNTIL, clauses, sent
from tests.support.histories import history
from tests.support.oracle import HOUR
from tests.support.projection import START
from tests.support.sent_events import examples

FORGET = "delete from quarantined_days; delete from quarantines"
IN_FORCE = """
insert into quarantined_days (shard, day, quarantine)
select h.shard, d.day::date, $1
from log_heads as h
cross join generate_series($2::timestamptz, $3::timestamptz, '1 day') as d (day)
where h.shard <> $4
"""
COUNTING = """
select e.shard, e.position
from events as e
where not is_quarantined(
    e.shard, e.timestamp, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
    hourly_risk_mode(e.event_type, e.properties), e.demo_mode, e.properties
)
"""
moments = st.integers(-1, HOURS + 1).map(lambda hours: START + hours * HOUR)
quarantines = st.tuples(st.lists(clauses, min_size=1, max_size=2).map(" and ".join), moments, moments)


async def put(admin: asyncpg.Connection, query: str, asked: tuple[str, datetime, datetime], but: int) -> None:
    """Put a quarantine in force on all days, in all shards but one; the projection is not rebuilt."""
    where, one, other = asked
    read = parse_conditions(where)
    of_fields, of_properties, values = predicate(read)
    checks = msgspec.json.encode(checks_of(read)).decode()
    span = min(one, other), max(one, other) + HOUR
    number = await admin.fetchval(
        query, [0], *span, where, checks, of_fields, of_properties, values or "{}", "a flood", "me"
    )
    await admin.execute(IN_FORCE, number, START.replace(hour=0) - 24 * HOUR, UNTIL + 24 * HOUR, but)


@given(
    st.sampled_from([1, 3]),
    st.sampled_from(sorted(LAYOUTS)),
    st.lists(sent, min_size=5, max_size=25),
    st.lists(st.lists(quarantines, min_size=1, max_size=2), min_size=4, max_size=8),
)
@settings(examples(25), print_blob=True)
async def test_both_leave_out_the_same_events(
    database_url: str,
    shards: int,
    layout: str,
    events: list[Event],
    asked: list[list[tuple[str, datetime, datetime]]],
) -> None:
    async with history(database_url, shards) as both:
        await both.append(events)
        with TemporaryDirectory() as folder, connect(Path(folder), "1GB", 2, ordered=False) as connection:
            parts = await parts_of(both.database, connection, Path(folder), layout)
            question = Trend(bounds=[START - 24 * HOUR, UNTIL + 24 * HOUR])
            for some in asked:
                await both.admin.execute(FORGET)
                for place, each in enumerate(some):
                    await put(both.admin, both.database.statements.begin_quarantine, each, place if shards > 1 else -1)
                async with both.database.snapshot() as session:
                    found = await read_quarantines(session, [*range(shards)], Stretch(FIRST, END))
                counting = [
                    row
                    for part in parts
                    for row in passing(replace(part, quarantines=found), question, ())
                    .select("shard", "position")
                    .fetchall()
                ]
                assert sorted(counting) == sorted(map(tuple, await both.admin.fetch(COUNTING))), some
