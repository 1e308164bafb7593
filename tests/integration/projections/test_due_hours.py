"""The projector verifies each closed hour once, and again after late events; the hour then gets its document."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from projections import due_hours
from projections.due_hours import PATIENCE, SHARE, pause_after
from projections.follow import follow
from projections.hours import list_hours
from projections.rebuild import rebuild
from projections.verify import verify_hour
from projections.versions import begin, fill, prove, roll_back, switch
from sql.database import Database
from sql.hourly import DAMAGED, DRIFTED, VERIFIED
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support.due_hours import CLOSED, MINUTE, NEXT, document, documents, due
from tests.support.log import an_event, append, until_waited_for
from tests.support.oracle import HOUR
from tests.support.projection import START, fold, random_events
from tests.support.sharded import MORE_SHARDS


async def test_each_closed_hour_is_verified_once_and_gets_its_document(
    database: Database, admin: asyncpg.Connection
) -> None:
    events = random_events(1, 150, hours=5)
    await append(database, events)
    await fold(database)
    # The newest hour comes first; the fifth is still open.
    hours = [START + number * HOUR for number in (3, 2, 1, 0)]
    assert await due(database, CLOSED) == [(0, hour, VERIFIED) for hour in hours]
    stored = list({event.event_id: event for event in events}.values())
    assert await documents(admin) == {hour: document(stored, hour) for hour in hours}
    for later in (MINUTE, PATIENCE, timedelta(minutes=50)):
        assert await due(database, CLOSED + later) == []
    assert await due(database, CLOSED + HOUR) == [(0, CLOSED, VERIFIED)]


async def test_hours_of_every_shard_are_verified(database: Database, admin: asyncpg.Connection) -> None:
    await admin.execute(MORE_SHARDS)
    for shard in range(8):
        await append(database, [an_event(shard, at=START + shard % 4 * HOUR)], shard=shard)
        await fold(database, shard=shard)
    assert await due(database, CLOSED) == [(shard, START + shard % 4 * HOUR, VERIFIED) for shard in range(8)]
    for shard in range(8):
        assert (await documents(admin, shard)).keys() == {START + shard % 4 * HOUR}
    assert await due(database, CLOSED) == []


async def test_hours_that_were_never_verified_come_first_then_those_verified_longest_ago(database: Database) -> None:
    await append(database, [an_event(number, at=START + number * HOUR) for number in range(3)])
    await fold(database)
    for number, minutes in ((2, 0), (0, 1)):
        (hour,) = await list_hours(database, START + number * HOUR, START + (number + 1) * HOUR)
        await verify_hour(database, hour, clock=CLOSED + minutes * MINUTE)
    await append(database, [an_event(10 + number, at=START + number * HOUR) for number in range(3)])
    await fold(database)
    later = CLOSED + timedelta(hours=1)
    assert [hour for _, hour, _ in await due(database, later)] == [NEXT, START + 2 * HOUR, START]


BAD = {
    DRIFTED: "update hourly_counts set events_00 = events_00 + 1",
    DAMAGED: "update events set demo_mode = not demo_mode",
}


@pytest.mark.parametrize("state", [DRIFTED, DAMAGED])
async def test_what_does_not_verify_is_recorded_and_told_once(
    database: Database, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(due_hours.log, "error", lambda _, **fields: told.append(fields))
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await admin.execute(BAD[state])
    assert await due(database, CLOSED) == [(0, START, state)]
    assert told == [{"hour": START.isoformat(), "shard": 0, "state": state}]
    assert await documents(admin) == {}
    row = await database.only(database.statements.read_proof, 0, "hourly", START)
    assert (row["state"], row["current"], row["verified_at"]) == (state, True, CLOSED)
    assert await due(database, CLOSED + timedelta(days=1)) == []
    # A late event makes the hour due again.
    await append(database, [an_event(1, at=START)])
    await fold(database)
    assert await due(database, CLOSED + timedelta(days=1)) == [(0, START, state)]
    assert await due(database, CLOSED + timedelta(days=2)) == []


async def test_a_rebuilt_hour_is_verified_at_once(database: Database, admin: asyncpg.Connection) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await due(database, CLOSED)
    await admin.execute(BAD[DRIFTED])
    await append(database, [an_event(1, at=START)])
    await fold(database)
    clock = CLOSED + PATIENCE
    assert await due(database, clock) == [(0, START, DRIFTED)]
    assert [done.outcome async for done in rebuild(database, await list_hours(database, None, None))] == ["rebuilt"]
    assert await due(database, clock) == [(0, START, VERIFIED)]


async def test_a_verification_and_a_rebuild_of_the_same_hour_do_not_wait_for_each_other(
    database: Database, admin: asyncpg.Connection
) -> None:
    """The hour was drifted and is right again."""
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await due(database, CLOSED)
    await admin.execute("update hour_proofs set state = 'drifted'")
    (hour,) = await list_hours(database, None, None)
    async with admin.transaction():
        await admin.fetch(database.statements.rebuild_hourly, 0, 1, START)
        verifying = asyncio.create_task(verify_hour(database, hour, clock=CLOSED))
        await until_waited_for(admin)
        await admin.fetch(database.statements.forget_drift, 0, "hourly", 1, START)
    assert (await verifying).state == VERIFIED


async def test_hours_are_due_in_the_version_that_answers_reads(database: Database, admin: asyncpg.Connection) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    assert await due(database, CLOSED) == [(0, START, VERIFIED)]
    version = await begin(database)
    async for _ in fill(database, version):
        pass
    await switch(database, version, [proof async for proof in prove(database, version)])
    # The rebuild proved the hours before the switch, by the real clock.
    assert await due(database, CLOSED) == []
    await append(database, [an_event(1, at=START)])
    for number in (1, 2):
        await database.rows(database.statements.fold_hourly, 0, number, 50_000)
    await roll_back(database)
    assert await due(database, CLOSED + PATIENCE) == [(0, START, VERIFIED)]
    assert await admin.fetchval("select array_agg(version) from hourly_documents") == [1]


@pytest.mark.parametrize("seconds", [0.01, 1.0, 30.0])
def test_verifying_takes_a_small_share_of_the_time(seconds: float) -> None:
    assert SHARE <= 0.05
    assert seconds / (seconds + pause_after(seconds, idle=False)) == pytest.approx(SHARE)
    assert pause_after(seconds, idle=True) == due_hours.IDLE_SECONDS


async def test_the_projector_verifies_closed_hours_and_ends_abandoned_rebuilds_by_itself(
    database: Database, admin: asyncpg.Connection
) -> None:
    events = [an_event(0, at=START), an_event(1, at=NEXT)]
    await append(database, events)
    await begin(database)
    await admin.execute("update checkpoints set begun_at = begun_at - interval '25 hours'")
    stop = asyncio.Event()
    projector = asyncio.create_task(
        follow(database, Retention(RETENTION_DAYS, RETENTION_DAYS, RETENTION_DAYS), 2, stop)
    )
    async with asyncio.timeout(60):
        while len(await documents(admin)) < 2 or await admin.fetchval("select count(*) from checkpoints") > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await projector
    assert await documents(admin) == {hour: document(events, hour) for hour in (START, NEXT)}


LONG_LEDGER = """
insert into hour_ledger (shard, hour, events, position_sum, digest_high, digest_low)
select s, h, 1, 1, 1, 1
from generate_series(0, 7) as s, generate_series($1::timestamptz - interval '90 days', $1, '1 hour') as h
"""
ALL_PROVEN = """
insert into hour_proofs (shard, projection, version, hour, state, events, digest_high, digest_low, verified_at)
select shard, 'hourly', 1, hour, 'verified', 1, 1, 1, hour + interval '2 hours' from hour_ledger
"""
ALL_DOCUMENTED = """
insert into hourly_documents (shard, version, hour, document, events, sessions, keys)
select shard, 1, hour, '{}', 1, 1, 1 from hour_ledger
"""


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_looking_for_due_hours_reads_no_row_twice(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    """The projector looks every few seconds; here 90 days in 8 shards have nothing due."""
    await admin.execute(MORE_SHARDS)
    await admin.execute(LONG_LEDGER, START)
    await admin.execute(ALL_PROVEN)
    await admin.execute(ALL_DOCUMENTED)
    if analyzed:
        await admin.execute("analyze")
    arguments = ([3], [1], PATIENCE, CLOSED, 1)
    for _ in range(8):
        assert await admin.fetch(database.statements.list_due_hours, *arguments) == []
    prepared = await admin.prepare(f"explain (analyze, format json) {database.statements.list_due_hours}")
    ((plan,),) = await prepared.fetch(*arguments)
    hours = 90 * 24 + 1
    assert hours <= sum(rows_of(json.loads(plan)[0]["Plan"])) < 20 * hours


def rows_of(plan: dict[str, Any]) -> Iterator[float]:
    """Give the number of rows that each node of a plan handled."""
    yield (
        plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    ) * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from rows_of(part)
