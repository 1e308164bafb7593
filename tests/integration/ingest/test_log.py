"""The log: append_events stores, refuses and witnesses events, and nothing changes them afterwards."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from projections.hours import list_hours
from sql.database import Database
from sql.days import make_days
from sql.errors import DatabaseError, MissingDay
from tests.conftest import RETENTION_DAYS, execute
from tests.support.log import NOW, an_event, append, offer, stored


async def test_stores_events_in_the_order_they_were_offered(database: Database, database_url: str) -> None:
    assert await append(database, [an_event(n) for n in range(3)]) == {}
    assert await append(database, [an_event(3)]) == {}
    rows = await stored(database_url)
    assert [(row["position"], row["event_id"]) for row in rows] == [(n + 1, f"evt_{n}") for n in range(4)]
    assert rows[0]["timestamp"] == NOW


async def test_an_event_sent_again_is_a_duplicate(database: Database, database_url: str) -> None:
    await append(database, [an_event(1)])
    assert await append(database, [an_event(1), an_event(2), an_event(2)]) == {0: "duplicate", 2: "duplicate"}
    # The head advances by all offered events, so a duplicate leaves a gap in the positions.
    assert [row["position"] for row in await stored(database_url)] == [1, 3]


async def test_the_same_id_from_another_session_is_refused(database: Database) -> None:
    await append(database, [an_event(1)])
    assert await append(database, [an_event(1, session="s2"), an_event(2)]) == {0: "id_reused"}


async def test_the_same_id_at_another_time_is_another_event(database: Database) -> None:
    await append(database, [an_event(1)])
    assert await append(database, [an_event(1, at=NOW + timedelta(microseconds=1))]) == {}


async def test_days_past_the_horizon_are_expired_and_days_ahead_are_future(database: Database) -> None:
    clock = NOW.replace(hour=13)
    await make_days(database, RETENTION_DAYS, clock)
    horizon = clock.replace(hour=0, minute=0, second=0) - timedelta(days=RETENTION_DAYS)
    edge = clock + timedelta(hours=24)
    moments = [horizon - timedelta(microseconds=1), horizon, edge, edge + timedelta(microseconds=1)]
    events = [an_event(n, at=moment) for n, moment in enumerate(moments)]
    assert await append(database, events, clock=clock) == {0: "expired", 3: "future"}


async def test_the_horizon_never_moves_back(database: Database) -> None:
    statements = database.statements
    await append(database, [an_event(0)])
    await database.only(statements.advance_horizon, 0, 3, NOW, True)
    row = await database.only(statements.advance_horizon, 0, 6, NOW, True)
    assert row["horizon"] == NOW.replace(hour=0, minute=0, second=0) - timedelta(days=3)
    assert await append(database, [an_event(at=NOW - timedelta(days=5))]) == {0: "expired"}


@pytest.mark.parametrize(
    "change",
    [
        "update events set action = 'x'",
        "delete from events",
        "truncate events",
        "update {partition} set action = 'x'",
        "delete from {partition}",
        "truncate {partition}",
    ],
)
async def test_the_database_refuses_changes_of_the_log(database: Database, database_url: str, change: str) -> None:
    await append(database, [an_event(1)])
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await execute(database_url, change.format(partition=f"events_{NOW:%Y%m%d}"))
    assert len(await stored(database_url)) == 1


async def test_an_append_leaves_receipts_that_say_what_the_log_holds(database: Database) -> None:
    events = [an_event(n, at=NOW - timedelta(hours=n % 3), properties='{"a": 1.50, "é": [null]}') for n in range(30)]
    await append(database, events)
    for hour in {event.timestamp.replace(minute=0, second=0) for event in events}:
        check = await database.only(database.statements.check_log, 0, hour)
        assert check["intact"]


async def test_a_missing_day_is_told_apart_and_can_be_made(database: Database, database_url: str) -> None:
    await make_days(database, RETENTION_DAYS, NOW)
    await execute(database_url, f"drop table events_{NOW:%Y%m%d}")
    with pytest.raises(MissingDay):
        await offer(database, [an_event(1)])
    assert await make_days(database, RETENTION_DAYS, NOW) == 1
    assert await offer(database, [an_event(1)]) == {}


async def test_days_from_yesterday_to_two_days_ahead_exist(database: Database) -> None:
    later = NOW + timedelta(days=40)
    assert await make_days(database, RETENTION_DAYS, later) == 1 + 1 + 2
    assert await make_days(database, RETENTION_DAYS, later) == 0
    assert await make_days(database, RETENTION_DAYS, later + timedelta(days=3)) == 3


async def test_an_old_day_is_made_when_its_first_event_comes(database: Database) -> None:
    statements, later, decade = database.statements, NOW + timedelta(days=900), 3_650
    start = later.replace(hour=0, minute=0, second=0) - timedelta(days=decade)
    old = NOW - timedelta(days=1_000)
    assert await make_days(database, decade, later) == 1 + 1 + 2
    assert await make_days(database, decade, later, [old.date(), start.date() - timedelta(days=1)]) == 1
    assert (await database.only(statements.advance_horizon, 0, decade, later, True))["horizon"] == start
    assert await append(database, [an_event(1, at=old)], clock=later) == {}
    # Days without events have no partitions, and are complete all the same.
    assert (await database.only(statements.read_kept, None))["events_since"] == start
    hours = await list_hours(database, None, None)
    assert [(hour.start, hour.events) for hour in hours] == [(old.replace(minute=0, second=0), 1)]


async def test_a_shard_that_does_not_exist_is_an_error(database: Database) -> None:
    with pytest.raises(DatabaseError, match="shard 7 does not exist"):
        await append(database, [an_event(1)], shard=7)


async def test_the_canonical_text_is_what_jsonb_writes(database_url: str) -> None:
    """event_digest builds its text a fast way; the text must equal the definition that the ledger uses."""
    connection = await asyncpg.connect(database_url)
    try:
        different = await connection.fetchval(
            """
            select count(*)
            from (
                values ('a', 's', null::text, '{"x": 1.0, "y": [1e30, "\\u00e9\\n\\"", true, null]}'::jsonb, true),
                    (E'q"\\\\\\t\\x01é', 's', 'u', null, false)
            ) as e (event_id, session_id, user_id, properties, demo_mode)
            where event_digest(
                e.event_id, e.session_id, e.user_id, 'k', null, 'do', e.properties, e.demo_mode,
                '2025-10-18 01:02:03.000004+00'
            ) <> sha256(convert_to(jsonb_build_array(
                e.event_id, e.session_id, e.user_id, 'k', null::text, 'do', e.properties, e.demo_mode,
                1760749323000004
            )::text, 'UTF8'))
            """
        )
        assert different == 0
    finally:
        await connection.close()
