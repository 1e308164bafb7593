"""A day past the horizon is proven, sealed and dropped; then it takes no more events."""

from __future__ import annotations

import asyncio

import asyncpg

from projections.hours import list_hours
from projections.verify import verify_hour
from sql.database import Database
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event, append, head_locked, until_waited_for
from tests.support.oracle import HOUR
from tests.support.projection import folded
from tests.support.retired_days import (
    EVENTS,
    MICROSECOND,
    PARTITIONS,
    SEALS,
    answers,
    chain_is_whole,
    day,
    fill,
    of_day,
    past,
    retire,
    states,
    totals,
    whole,
)
from tests.support.sharded import Sharded

WITNESSES = "select shard, hour, a.* from (select distinct shard, hour from hour_ledger) h, appended(shard, hour) a"


async def test_a_day_past_the_horizon_is_proven_sealed_and_dropped(old: Sharded) -> None:
    before = await answers(old, day(0), day(12))
    witnesses = await old.admin.fetch(WITNESSES)
    assert before == oracle.fresh(EVENTS, day(0), day(12))
    assert await totals(old.database) == (len(EVENTS), len(EVENTS), 0)

    assert await retire(old.database, 0) == whole(0, events=EVENTS)

    gone = len(of_day(0, EVENTS))
    assert await totals(old.database) == (len(EVENTS), len(EVENTS) - gone, gone)
    assert await old.admin.fetchval("select min(timestamp) from events") == day(1)
    assert (await old.admin.fetch(PARTITIONS))[0][0] == day(1).date()
    assert await answers(old, day(0), day(12)) == before
    assert await answers(old, day(0) + 7 * HOUR, day(1) + HOUR) == oracle.fresh(
        EVENTS, day(0) + 7 * HOUR, day(1) + HOUR
    )
    assert await old.admin.fetch(WITNESSES) == witnesses
    for (_, hour), state in (await states(old)).items():
        assert state == ("sealed" if hour < day(1) else "verified")
    for shard in range(old.shards):
        if old.of_shard(shard, of_day(0, EVENTS)):
            hour = await old.admin.fetchval("select min(hour) from hour_seals where shard = $1", shard)
            proof = await old.database.only(old.database.statements.read_proof, shard, "hourly", hour)
            assert (proof["state"], proof["current"], proof["sealed_at"]) == ("sealed", True, past(0))
    seals = await old.admin.fetch(SEALS)
    assert await chain_is_whole(old) == len(seals) > 0
    assert await retire(old.database, 0) == []
    assert await old.admin.fetch(SEALS) == seals

    # The next pass drops the following days, including days without events.
    assert await retire(old.database, 4) == whole(1, 2, 3, 4, events=EVENTS)
    assert await answers(old, day(0), day(12)) == before
    assert await totals(old.database) == (len(EVENTS), len(of_day(9, EVENTS)), len(EVENTS) - len(of_day(9, EVENTS)))
    await chain_is_whole(old)


async def test_an_append_to_a_closed_day_is_expired_and_its_neighbours_are_stored(log: Sharded) -> None:
    await retire(log.database, 0)
    batch = [an_event(number, at=at) for number, at in ((900, day(0)), (901, day(1)), (902, day(1) - MICROSECOND))]
    assert await append(log.database, batch, clock=past(0)) == {0: "expired", 2: "expired"}
    # The horizon never moves back, even when another clock is behind.
    assert await append(log.database, batch[:1], clock=day(1)) == {0: "expired"}
    assert await totals(log.database) == (len(EVENTS) + 1, len(EVENTS) + 1 - 16, 16)


async def test_an_append_that_waits_while_the_horizon_moves_loses_cleanly(log: Sharded) -> None:
    batch = [an_event(900, at=day(0) + HOUR), an_event(901, at=day(1) + HOUR)]
    async with head_locked(log.url) as holder:
        waiting = asyncio.create_task(append(log.database, batch, clock=day(1)))
        await until_waited_for(holder)
        await holder.fetch(log.database.statements.advance_horizon, 0, RETENTION_DAYS, past(0), True)
        await holder.execute("commit; begin")
        assert await waiting == {0: "expired"}
    (dropped,) = await retire(log.database, 0)
    assert dropped == whole(0, events=EVENTS)[0]
    assert set((await states(log)).values()) == {"sealed", "verified"}
    assert await totals(log.database) == (len(EVENTS) + 1, len(EVENTS) + 1 - 16, 16)


async def test_an_hour_of_a_version_that_has_ended_is_not_sealed(log: Sharded) -> None:
    """Its rows are being deleted, so a seal of the remaining ones would stay broken for ever."""
    statements = log.database.statements
    await log.database.only(statements.advance_horizon, 0, RETENTION_DAYS, past(0), True)
    (hour, *_) = await list_hours(log.database, day(0), day(1))
    proof = await verify_hour(log.database, hour)
    where = hour.start, *proof.folded, "test", past(0)
    assert [(await log.database.only(statements.seal_hour, 0, version, *where))["sealed"] for version in (2, 1)] == [
        False,
        True,
    ]
    assert await chain_is_whole(log) == 1


async def test_an_hour_of_many_keys_and_odd_names_is_sealed_and_dropped(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    odd = ['"', "\\", "\x01\x1f\x7f", "\n", "é", "e\u0301", "😀" * 64, "'; --", "{}", "__proto__", " ", "\u2028", "%s"]
    names = odd + [f"key {n}" for n in range(1_500)]
    events = [an_event(n, at=day(0) + HOUR, session=f"s{name}", kind=name, tool=name) for n, name in enumerate(names)]
    events += [an_event(5_000, at=day(9), session='s"')]
    log = Sharded(database_url, 1, database, admin)
    await fill(log, events)
    assert await retire(database, 0) == whole(0, events=events)
    assert await folded(admin) == oracle.rows(events)
    assert await answers(log, day(0), day(12)) == oracle.fresh(events, day(0), day(12))
    assert await states(log) == {(0, day(0) + HOUR): "sealed", (0, day(9)): "verified"}
