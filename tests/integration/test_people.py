"""Users across a release that did not count them yet, and across retention."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from projections import versions
from projections.hours import list_hours
from projections.projector import catch_up
from projections.verify import HourProof, verify_hour
from sql.migrate import list_migrations, migrate, rollback
from tests import oracle
from tests.log import append
from tests.projection import folded, random_events
from tests.retired import day, old_events
from tests.sharded import Sharded, sharded_log

PEOPLE = 6
EVENTS = old_events()
SESSIONS = "select bucket, 'session', session_id from hourly_sessions where shard = $1"
SESSION_EDGES = "select 'session', bucket, nullif(previous, '-infinity'), sessions from hourly_edges where shard = $1"
# Keeps every day from being dropped.
KEPT = "begin; lock table events in access share mode"


@pytest_asyncio.fixture(params=[1, 8], ids=["1 shard", "8 shards"])
async def old(empty_database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give an empty log."""
    async with sharded_log(empty_database_url, request.param) as sharded:
        yield sharded


async def verified(log: Sharded) -> list[HourProof]:
    """Verify all, before the newest day is past the horizon by the clock."""
    return [await verify_hour(log.database, hour, clock=day(12)) for hour in await list_hours(log.database, None, None)]


async def down(log: Sharded) -> None:
    """Take the schema down to the release before, whatever is lost."""
    for _ in list_migrations()[PEOPLE - 1 :]:
        await rollback(log.url, force=True)


async def test_a_release_that_counts_people_takes_over_and_gives_back(old: Sharded) -> None:
    await append_folded(old, [event._replace(event_id=f"x_{event.event_id}") for event in random_events(3, 300)])
    version = await versions.begin(old.database)
    hours = [hour async for hour in versions.fill(old.database, version)]
    assert hours
    # Of the first hour of each shard, as if the rebuild had come no further.
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


async def append_folded(log: Sharded, events: list[oracle.Event]) -> None:
    """Append events, fold half of them, and take the rest for the tail of the log."""
    for some in (events[::2], events[1::2]):
        for shard in range(log.shards):
            if of_shard := log.of_shard(shard, some):
                await append(log.database, of_shard, shard=shard)
        if some is not events[1::2]:
            await catch_up(log.database)
