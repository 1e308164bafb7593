"""The projector verifies each closed hour once, and again after late events; the hour then gets its document."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from projections import due_hours
from projections.due_hours import PATIENCE, SHARE, pause_after, verify_due
from projections.follow import follow
from projections.hours import list_hours
from projections.rebuild import rebuild
from projections.verify import verify_hour
from projections.versions import begin, fill, prove, roll_back, switch
from service.ingest.event import Event
from sql.database import Database
from sql.hourly import DAMAGED, DRIFTED, VERIFIED
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event, append, until_waited_for
from tests.support.oracle import HOUR, start_of
from tests.support.projection import START, fold, random_events

MINUTE = timedelta(minutes=1)
NEXT, LAST = START + HOUR, START + 3 * HOUR
# Exactly the hours up to LAST are over at this moment.
CLOSED = START + 4 * HOUR
MORE_SHARDS = """
insert into log_heads (shard) select generate_series(1, 7);
insert into shard_totals (shard) select generate_series(1, 7);
insert into checkpoints (shard, projection, version) select generate_series(1, 7), 'hourly', 1;
"""
Due = list[tuple[int, datetime, str]]


async def due(database: Database, clock: datetime) -> Due:
    """Verify due hours until none is left; return (shard, hour, state) of each, in order."""
    found: Due = []
    while proofs := await verify_due(database, clock=clock):
        found += [(proof.hour.shard, proof.hour.start, proof.state) for proof in proofs]
    return found


async def documents(admin: asyncpg.Connection, shard: int = 0) -> dict[datetime, tuple[str, int, int, int]]:
    rows = await admin.fetch(
        "select hour, document::text, events, sessions, keys from hourly_documents where shard = $1", shard
    )
    return {hour: tuple(rest) for hour, *rest in rows}


def document(events: list[Event], hour: datetime) -> tuple[str, int, int, int]:
    """Return the exact text of an hour's document, its events, its sessions, and the keys of its largest dimension."""
    inside = [event for event in events if start_of(event.timestamp, HOUR) == hour]
    kinds: dict[str, Counter[str]] = {dimension: Counter() for dimension in oracle.DIMENSIONS}
    for event in inside:
        for dimension, key in oracle.keys(event):
            kinds[dimension][key] += 1
    sessions = len({event.session_id for event in inside})
    parts = [
        json.dumps(
            dict(sorted(kind.items(), key=lambda item: (-item[1], item[0].encode()))),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for kind in kinds.values()
    ]
    text = (
        f'{{"hour":"{hour:%Y-%m-%dT%H:%M:%S}.000Z","event_counts":{parts[0]},"tool_usage":{parts[1]},'
        f'"risk_distribution":{parts[2]},"unique_sessions":{sessions},"total_events":{len(inside)}}}'
    )
    return text, len(inside), sessions, max(len(kind) for kind in kinds.values())


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


async def test_documents_hold_any_key(database: Database, admin: asyncpg.Connection) -> None:
    odd = [
        '"',
        "\\",
        "/",
        "\x7f",
        "\x01\n\t\b\f\r",
        "é\u2028😀",
        "__proto__",
        "a b",
        " ",
        "<script>",
        "٣",
        "ﬁ",
        "Z",
        "a",
    ]
    events = [
        an_event(number, at=START, kind=kind, tool=odd[number // 2], session=kind) for number, kind in enumerate(odd)
    ]
    events.append(an_event(99, at=START, kind="risk_mode_changed", properties=json.dumps({"risk_mode": odd[4]})))
    await append(database, events)
    await fold(database)
    assert await due(database, CLOSED) == [(0, START, VERIFIED)]
    found = await documents(admin)
    assert found == {START: document(events, START)}
    assert json.loads(found[START][0])["event_counts"] == dict.fromkeys([*odd, "risk_mode_changed"], 1)


async def test_hours_of_every_shard_are_verified(database: Database, admin: asyncpg.Connection) -> None:
    await admin.execute(MORE_SHARDS)
    for shard in range(8):
        await append(database, [an_event(shard, at=START + shard % 4 * HOUR)], shard=shard)
        await fold(database, shard=shard)
    assert await due(database, CLOSED) == [(shard, START + shard % 4 * HOUR, VERIFIED) for shard in range(8)]
    for shard in range(8):
        assert (await documents(admin, shard)).keys() == {START + shard % 4 * HOUR}
    assert await due(database, CLOSED) == []


async def test_a_late_event_removes_the_document_and_the_hour_is_verified_again_when_patience_is_over(
    database: Database, admin: asyncpg.Connection
) -> None:
    events = [an_event(0, at=START), an_event(1, at=NEXT)]
    await append(database, events)
    await fold(database)
    await due(database, CLOSED)
    for minute in range(12):
        clock = CLOSED + minute * MINUTE
        late = an_event(100 + minute, at=START + minute * MINUTE, session=f"late_{minute}")
        await append(database, [late])
        events.append(late)
        # The hour is not due before the fold.
        assert await due(database, clock) == []
        await fold(database)
        again = await due(database, clock)
        # Twelve late events cause only two verifications.
        assert again == ([(0, START, VERIFIED)] if minute in (5, 10) else [])
        kept = {NEXT: document(events, NEXT)}
        assert await documents(admin) == (kept | {START: document(events, START)} if again else kept)


async def test_the_fold_and_the_end_of_a_document_are_one(database: Database, admin: asyncpg.Connection) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await due(database, CLOSED)
    await append(database, [an_event(1, at=START)])
    async with admin.transaction():
        await admin.fetch(database.statements.fold_hourly, 0, 1, 50_000)
        assert await documents(admin) == {}
        (seen,) = await database.rows("select count(*) as documents from hourly_documents")
        assert seen["documents"] == 1
    (seen,) = await database.rows("select count(*) as documents from hourly_documents")
    assert seen["documents"] == 0


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


CHANGE = "update hourly_documents set {} where hour = $1"


async def test_a_document_that_is_not_what_the_rows_say_is_drift_and_a_rebuild_ends_it(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START), an_event(1, at=NEXT)])
    await fold(database)
    await due(database, CLOSED)
    before = await documents(admin)
    for change in ("sessions = 9", "events = 9", "keys = 9", "document = replace(document::text, '1', '2')::json"):
        await admin.execute(CHANGE.format(change), START)
        hours = await list_hours(database, None, None)
        proofs = [await verify_hour(database, hour, clock=CLOSED) for hour in hours]
        assert [proof.state for proof in proofs] == [DRIFTED, VERIFIED]
        assert [difference.field for difference in proofs[0].differences] == ["document"]
        async for _ in rebuild(database, hours):
            pass
        assert (await documents(admin)).keys() == {NEXT}
        assert await due(database, CLOSED) == [(0, START, VERIFIED)]
        assert await documents(admin) == before


async def test_an_hour_that_is_not_over_is_verified_on_demand_but_gets_no_document(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=LAST)])
    await fold(database)
    (hour,) = await list_hours(database, None, None)
    assert (await verify_hour(database, hour, clock=CLOSED - timedelta(microseconds=1))).state == VERIFIED
    assert await documents(admin) == {}
    assert await due(database, CLOSED - timedelta(microseconds=1)) == []
    # The hour is over now, but it was verified a moment ago.
    assert await due(database, CLOSED) == []
    assert await due(database, CLOSED + PATIENCE) == [(0, LAST, VERIFIED)]
    assert (await documents(admin)).keys() == {LAST}


async def test_an_hour_verified_with_an_unfolded_tail_has_no_document_and_no_current_proof(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await append(database, [an_event(1, at=START)])
    (hour,) = await list_hours(database, None, None)
    proof = await verify_hour(database, hour, clock=CLOSED)
    assert (proof.state, proof.events, proof.folded[0]) == (VERIFIED, 2, 1)
    assert await documents(admin) == {}
    row = await database.only(database.statements.read_proof, 0, "hourly", START)
    assert (row["state"], row["events"], row["current"]) == (VERIFIED, 2, False)
    await fold(database)
    # The fold alone does not make the proof current.
    assert not (await database.only(database.statements.read_proof, 0, "hourly", START))["current"]
    assert await due(database, CLOSED + PATIENCE) == [(0, START, VERIFIED)]
    assert (await database.only(database.statements.read_proof, 0, "hourly", START))["current"]


async def verified_but_not_documented(database: Database, connection: asyncpg.Connection) -> tuple[str, list[object]]:
    """Verify the hour in the open transaction; return the statement and arguments that write its document."""
    statements = database.statements
    await connection.fetch(statements.hold_day, START)
    rows = await connection.fetch(statements.verify_hourly, 0, 1, START)
    assert {row["finding"] for row in rows} == {"folded", "proof"}
    folded = [row["recounted"] for row in rows if row["finding"] == "folded"]
    return statements.write_document, [0, 1, START, int(folded[0]), *folded[1:], CLOSED]


@pytest.mark.parametrize("folds", [False, True], ids=["appended", "appended and folded"])
async def test_no_document_is_written_of_an_hour_that_changed_since_it_was_verified(
    database: Database, admin: asyncpg.Connection, *, folds: bool
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    async with admin.transaction():
        write, arguments = await verified_but_not_documented(database, admin)
        await append(database, [an_event(1, at=START)])
        if folds:
            await fold(database)
        assert not await admin.fetchval(write, *arguments)
    assert await documents(admin) == {}


async def test_a_fold_that_is_under_way_is_waited_for(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await append(database, [an_event(1, at=START)])
    other = await asyncpg.connect(database_url)
    try:
        folding = admin.transaction()
        await folding.start()
        await admin.fetch(database.statements.fold_hourly, 0, 1, 50_000)
        async with other.transaction():
            write, arguments = await verified_but_not_documented(database, other)
            writing = asyncio.create_task(other.fetchval(write, *arguments))
            await until_waited_for(admin)
            await folding.commit()
            assert not await writing
    finally:
        await other.close()
    assert await documents(admin) == {}


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


async def test_a_document_is_not_written_for_a_version_that_has_ended(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    async with admin.transaction():
        write, arguments = await verified_but_not_documented(database, admin)
        await admin.execute("delete from checkpoints")
        assert not await admin.fetchval(write, *arguments)
    assert await documents(admin) == {}


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
    projector = asyncio.create_task(follow(database, RETENTION_DAYS, RETENTION_DAYS, stop))
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
    arguments = (3, 1, PATIENCE, CLOSED, 1)
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
