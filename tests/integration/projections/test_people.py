"""Counts of users across an upgrade from a release without them, and across retention."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from projections import versions
from projections.hours import list_hours
from projections.projector import catch_up
from projections.verify import HourProof, verify_hour
from service.ingest.event import Event
from sql.migrate import list_migrations, migrate, rollback
from tests.conftest import Servers
from tests.support.log import an_event, append
from tests.support.projection import folded, random_events
from tests.support.retired_days import append_all, day, fill, old_events, retire
from tests.support.sharded import Sharded, sharded_log

PEOPLE = 7
EVENTS = old_events()
SESSIONS = "select bucket, 'session', session_id from hourly_sessions where shard = $1"
SESSION_EDGES = "select 'session', bucket, nullif(previous, '-infinity'), sessions from hourly_edges where shard = $1"
# Hours before this moment count no people, as in the older release.
WITHOUT = "update shard_totals set people_since = $1"
SINCE = "select max(people_since) from shard_totals"
# Hold a lock that keeps retention from dropping any day.
KEPT = "begin; lock table events in access share mode"


@pytest_asyncio.fixture(params=[1, 8], ids=["1 shard", "8 shards"])
async def old(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give an empty log."""
    async with sharded_log(servers, postgres_version, request.param) as sharded:
        yield sharded


async def verified(log: Sharded) -> list[HourProof]:
    """Verify every hour, at a clock when the newest day is not past the horizon."""
    return [await verify_hour(log.database, hour, clock=day(12)) for hour in await list_hours(log.database, None, None)]


async def down(log: Sharded) -> None:
    """Roll the schema back to the release before people, with force."""
    for _ in list_migrations()[PEOPLE - 1 :]:
        await rollback(log.url, force=True)


async def test_a_release_that_counts_people_takes_over_and_gives_back(old: Sharded) -> None:
    await append_folded(old, [event._replace(event_id=f"x_{event.event_id}") for event in random_events(3, 300)])
    version = await versions.begin(old.database)
    filling = versions.fill(old.database, version)
    for _ in range(20):
        await anext(filling)
    whole = [await folded(old.admin, shard=shard) for shard in range(old.shards)]
    filled = await old.admin.fetch("select * from hourly_members where version = $1 order by 1, 2, 3, 4, 5", version)
    proven = [proof for proof in await verified(old) if proof.hour.version == 1]
    for _ in list_migrations()[PEOPLE - 1 :]:
        await rollback(old.url)
    for shard, rows in enumerate(whole):
        members = {tuple(row) for row in await old.admin.fetch(SESSIONS, shard)}
        assert members == {member for member in rows.members if member[1] == "session"}
        edges = {tuple(row[:3]): row[3] for row in await old.admin.fetch(SESSION_EDGES, shard)}
        assert edges == {edge: number for edge, number in rows.edges.items() if edge[0] == "session"}
    await migrate(old.url)
    assert [await folded(old.admin, shard=shard) for shard in range(old.shards)] == whole
    again = await old.admin.fetch("select * from hourly_members where version = $1 order by 1, 2, 3, 4, 5", version)
    assert again == filled
    assert [proof for proof in await verified(old) if proof.hour.version == 1] == proven


async def append_folded(log: Sharded, events: list[Event]) -> None:
    """Append events in two halves, and fold only the first."""
    for some in (events[::2], events[1::2]):
        for shard in range(log.shards):
            if of_shard := log.of_shard(shard, some):
                await append(log.database, of_shard, shard=shard)
        if some[0] is events[0]:
            await catch_up(log.database)


async def test_what_was_sealed_without_people_stays_proven(old: Sharded) -> None:
    """Two days are dropped, and a reader keeps the sealed third; people are counted from that day on."""
    await old.admin.execute(WITHOUT, day(3))
    await fill(old, EVENTS)
    assert [retired.hindrance for retired in await retire(old.database, 1)] == [None, None]
    reader = await asyncpg.connect(old.url)
    await reader.execute(KEPT)
    (kept,) = await retire(old.database, 2)
    await reader.close()
    assert kept.hindrance is not None
    before = {proof.hour: proof.state for proof in await verified(old)}
    assert set(before.values()) == {"sealed", "verified"}
    whole = [await folded(old.admin, shard=shard) for shard in range(old.shards)]

    await down(old)
    await migrate(old.url)
    assert await old.admin.fetchval(SINCE) == day(3)
    assert [await folded(old.admin, shard=shard) for shard in range(old.shards)] == whole
    assert any(kind == "user" for rows in whole for _, kind, _ in rows.members)
    assert min(bucket for rows in whole for bucket, kind, _ in rows.members if kind != "session") == day(3)
    assert {proof.hour: proof.state for proof in await verified(old)} == before

    # Later hours are sealed with people, in the same chain as hours sealed without.
    await append_all(old, [an_event(901, at=day(9), session="s1", user="u1")], clock=day(9))
    await catch_up(old.database)
    assert [retired.hindrance for retired in await retire(old.database, 3)] == [None, None]
    assert {proof.state for proof in await verified(old)} == {"sealed", "verified"}
    version = await versions.begin(old.database)
    async for _ in versions.fill(old.database, version):
        pass
    proofs = [proof async for proof in versions.prove(old.database, version)]
    await versions.switch(old.database, version, proofs)
    assert {proof.state for proof in proofs} <= {"sealed", "verified"}
