"""A rebuild carries over the rollups of hours that it cannot recount."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from projections import versions
from projections.hours import list_hours
from projections.projector import catch_up
from projections.rebuild import rebuild
from projections.verify import verify_hour
from projections.versions import drop_old, roll_back
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from sql.hourly import DAMAGED, RIGHT, SEALED, VERIFIED
from tests.support import oracle
from tests.support.log import an_event
from tests.support.oracle import HOUR, start_of
from tests.support.projection import (
    START,
    random_events,
)
from tests.support.versions import HOURS, Log, proven, rebuild_all, seal_first_day, verified

COUNT_NOTHING = """
update hourly_counts set events_00 = 0, events_15 = 0, events_30 = 0, events_45 = 0 where version = 2 and hour = $1
"""


async def test_damaged_hours_keep_the_rollup_that_they_had_late_events_included(log: Log) -> None:
    await log.fill(9)
    await catch_up(log.database)
    lost = next(iter(log.acked.values()))
    hour, shard = start_of(lost.timestamp, HOUR), shard_of(lost.session_id, log.shards)
    await log.admin.execute("delete from events where event_id = $1", lost.event_id)

    def late(number: int) -> Event:
        return lost._replace(event_id=f"late_{number}", timestamp=hour + number * timedelta(minutes=7))

    version = await versions.begin(log.database)
    await log.append([late(1)])  # before the hour is filled
    async for _ in versions.fill(log.database, version):
        pass
    await log.append([late(2)])  # before the version is folded
    proofs = [proof async for proof in versions.prove(log.database, version)]
    await log.append([late(3)])  # before the switch
    await versions.switch(log.database, version, proofs)
    await log.append([late(4)])

    assert [(proof.hour.shard, proof.hour.start) for proof in proofs if proof.state == DAMAGED] == [(shard, hour)]
    assert await log.read() == log.expected()
    await log.is_right(1, 2)
    assert (await verified(log.database))[DAMAGED] == 1


@pytest.mark.parametrize("ahead", [1, 2])
async def test_an_hour_is_carried_between_versions_of_which_one_is_ahead(single: Log, ahead: int) -> None:
    """A projector may fold one version before the other at any moment."""
    await single.fill(26)
    await proven(single.database)
    await single.append(
        [event._replace(event_id=f"later_{event.event_id}") for event in random_events(27, 60, hours=5)]
    )
    await single.database.rows(single.database.statements.fold_hourly, 0, ahead, 50_000)
    await single.admin.execute(COUNT_NOTHING, START)
    carried = await single.database.only(single.database.statements.carry_hourly, 0, 1, 2, START)
    assert carried["rows_written"] > 0
    for version in (1, 2):
        assert await single.rows(version, 0) == oracle.rows(single.of_shard(0))
    await single.is_right(1, 2)


async def test_sealed_hours_are_carried_over(log: Log) -> None:
    await log.fill(10, hours=HOURS)
    await seal_first_day(log)
    before = await verified(log.database)
    proofs = await rebuild_all(log.database)
    assert Counter(proof.state for proof in proofs) == before
    assert before.keys() == {SEALED, VERIFIED}
    await drop_old(log.database)
    await log.is_right(2)
    # Counts and session rows equal the seals, and the edges are right.
    assert await verified(log.database) == before
    assert await log.read() == log.expected()


async def test_a_version_that_was_wrong_is_right_when_its_events_are_gone(log: Log) -> None:
    """Otherwise a rollback after the day is sealed would bring back rows that no rebuild can mend."""
    await log.fill(12, hours=HOURS)
    await log.admin.execute("update hourly_counts set events_00 = events_00 + 1 where version = 1")
    await log.admin.execute("delete from hourly_members where hour_of(bucket) = $1", START)
    await rebuild_all(log.database)
    await seal_first_day(log)
    before = await verified(log.database)
    assert before.keys() == {SEALED, VERIFIED}
    await roll_back(log.database)
    hours = [hour for hour in await list_hours(log.database, None, None) if hour.start.date() == START.date()]
    assert {(hour.version, (await verify_hour(log.database, hour)).state) for hour in hours} == {(1, SEALED)}
    async for _ in rebuild(log.database, await list_hours(log.database, None, None)):
        pass
    assert await verified(log.database) == before
    await log.is_right(1, 2)


async def test_an_hour_is_sealed_when_every_version_has_folded_it(single: Log) -> None:
    statements = single.database.statements
    await single.fill(12, hours=HOURS)
    await rebuild_all(single.database)
    late = an_event(9_999, at=START)
    await single.append([late])
    await single.database.rows(statements.fold_hourly, 0, 2, 50_000)
    await single.database.only(statements.advance_horizon, 0, 2, datetime.now(UTC), True)
    (hour, *_) = await list_hours(single.database, START, START + HOUR)
    proof = await verify_hour(single.database, hour)
    where = 0, 2, START, *proof.folded, "test", None
    assert proof.state == VERIFIED
    assert not (await single.database.only(statements.seal_hour, *where))["sealed"]
    await single.database.rows(statements.fold_hourly, 0, 1, 50_000)
    assert (await single.database.only(statements.seal_hour, *where))["sealed"]
    await single.is_right(1, 2)


async def test_edges_of_a_sealed_hour_are_mended_by_a_rebuild(single: Log) -> None:
    await single.fill(11, hours=HOURS)
    await seal_first_day(single)
    await single.admin.execute("update hourly_edges set members = members + 1 where hour_of(bucket) = $1", START)
    await rebuild_all(single.database)
    await single.is_right(2)
    assert set(await verified(single.database)) == RIGHT


async def test_a_broken_hour_is_carried_over_as_it_is(single: Log) -> None:
    await single.fill(12, hours=HOURS)
    await seal_first_day(single)
    await single.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", START)
    proofs = await rebuild_all(single.database)
    assert [proof.hour.start for proof in proofs if proof.state == "broken"] == [START]
    assert (await single.rows(2, 0)).counts == (await single.rows(1, 0)).counts
