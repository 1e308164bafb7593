"""A version whose rebuild does nothing for a day is given up; one that answers never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from projections import versions
from projections.hours import list_hours, live_versions
from projections.verify import verify_hour
from projections.versions import NotSwitched, end_abandoned, kept
from sql.database import Database
from sql.errors import DatabaseError
from sql.hourly import FILLING, PROJECTION, PROVING
from tests.support.projection import (
    random_events,
)
from tests.support.versions import A_DAY_LATER, Log, filled, live, rebuild_all


async def test_a_rebuild_whose_version_was_ended_says_so(single: Log) -> None:
    await single.fill(17)
    version = await filled(single.database)
    assert await end_abandoned(single.database, clock=datetime.now(UTC) + A_DAY_LATER) == [version]
    with pytest.raises(NotSwitched, match="version 2 was ended meanwhile; run the rebuild again"):
        async for _ in versions.prove(single.database, version):
            pass
    assert await live(single.database) == 1


async def test_a_version_that_ended_while_it_is_verified_has_not_drifted(single: Log) -> None:
    await single.fill(17)
    version = await filled(single.database)
    hours = await list_hours(single.database, None, None, version=version)
    await end_abandoned(single.database, clock=datetime.now(UTC) + A_DAY_LATER)
    with pytest.raises(DatabaseError, match="version 2 of hourly has ended"):
        await verify_hour(single.database, hours[0])


@pytest.mark.parametrize("stage", [FILLING, PROVING])
async def test_a_rebuild_that_does_nothing_for_a_day_is_given_up(log: Log, stage: str) -> None:
    async def removed() -> int:
        rows = [await log.database.only(log.database.statements.compact_receipts, s) for s in range(log.shards)]
        return sum(row["removed"] for row in rows)

    await log.fill(18)
    version = await (filled(log.database) if stage == FILLING else _proving(log.database))
    await log.append([event._replace(event_id=f"later_{event.event_id}") for event in random_events(19, 80, hours=5)])
    await log.append([event._replace(event_id=f"latest_{event.event_id}") for event in random_events(20, 80, hours=5)])
    await removed()
    rows = await log.database.rows(log.database.statements.list_checkpoints, PROJECTION)
    for row in rows:  # fold only the live version, as if no projector had come to the other
        if row["live"]:
            await log.database.rows(log.database.statements.fold_hourly, row["shard"], 1, 50_000)
    assert await removed() == 0

    now = datetime.now(UTC)
    assert await end_abandoned(log.database, clock=now + timedelta(hours=23)) == []
    assert await end_abandoned(log.database, clock=now + A_DAY_LATER) == [version]
    assert await log.left(version) == {}
    assert await removed() > 0
    await log.is_right(1)
    assert await versions.begin(log.database) == version + 1


async def _proving(database: Database) -> int:
    version = await filled(database)
    for shard in await live_versions(database):
        await database.only(database.statements.connect_hourly, shard, version)
    return version


async def test_a_version_that_answers_or_may_again_is_never_given_up(single: Log) -> None:
    await single.fill(21)
    await rebuild_all(single.database)
    assert await end_abandoned(single.database, clock=datetime.now(UTC) + timedelta(days=99)) == []
    assert await kept(single.database) == [1]
    await single.is_right(1, 2)
