"""Eight appenders and two projectors, one of them killed over and over: no event is lost or counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import asyncpg

from projections.hours import list_hours
from projections.projector import catch_up, tidy
from projections.verify import verify
from service.ingest.event import Event
from sql.database import Database
from sql.hourly import VERIFIED
from tests.conftest import RETENTION_DAYS
from tests.faults.table.processes import append_all, ended, events_of, kill_projectors_while, project, start

APPENDERS = 8
EVENTS = 20_000


async def test_appenders_and_killed_projectors_lose_and_double_nothing(database: Database, database_url: str) -> None:
    sent = [events_of(appender, EVENTS) for appender in range(APPENDERS)]
    appenders = [start(append_all, database_url, number, events) for number, events in enumerate(sent)]
    steady = start(project, database_url)
    with ended(steady, *appenders):
        kills = kill_projectors_while(database_url, appenders)
        assert [appender.exitcode for appender in appenders] == [0] * APPENDERS
    await catch_up(database)
    await tidy(database, RETENTION_DAYS)

    assert kills > 10
    expected = {event.event_id: event for events in sent for event in events}
    await assert_log_holds(database_url, expected, sum(len(events) for events in sent))
    await assert_rollups_count(database, expected)
    proofs = [proof async for proof in verify(database, await list_hours(database, None, None))]
    assert {proof.state for proof in proofs} == {VERIFIED}
    assert sum(proof.events for proof in proofs) == len(expected)


async def assert_log_holds(url: str, expected: dict[str, Event], offered: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select event_id, position from events order by position")
        last = await connection.fetchval("select max(last_position) from receipts")
    finally:
        await connection.close()
    assert sorted(row["event_id"] for row in rows) == sorted(expected)
    # Only duplicates leave gaps in the positions; the last offered event may be a duplicate.
    positions = [row["position"] for row in rows]
    assert positions == sorted(set(positions))
    assert positions[0] == 1
    assert positions[-1] <= last <= offered
    assert offered - len(rows) >= last - len(rows) >= 0


async def assert_rollups_count(database: Database, expected: dict[str, Event]) -> None:
    def hour(moment: datetime) -> datetime:
        return moment.replace(minute=0, second=0, microsecond=0)

    types = Counter((hour(event.timestamp), event.event_type) for event in expected.values())
    sessions = Counter(start for start, _ in {(hour(event.timestamp), event.session_id) for event in expected.values()})
    hours = sorted({start for start, _ in types})
    rows = await database.rows(database.statements.read_hourly, 0, hours[0], hours[-1] + timedelta(hours=1), None)
    assert {(row["hour"], row["key"]): row["amount"] for row in rows if row["measure"] == "event_type"} == types
    assert {row["hour"]: row["amount"] for row in rows if row["measure"] == "sessions"} == sessions
    (distinct,) = [row["amount"] for row in rows if row["measure"] == "distinct_sessions"]
    assert distinct == len({event.session_id for event in expected.values()})
