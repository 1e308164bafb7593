"""A switch to the next version and back: the answers are right at once; a wrong version is never switched to."""

from __future__ import annotations

import pytest

from projections import versions
from projections.projector import catch_up
from projections.versions import NotSwitched, roll_back
from sql.hourly import VERIFIED
from tests.support.oracle import HOUR
from tests.support.projection import (
    START,
    random_events,
)
from tests.support.versions import HOURS, UNTIL, Log, filled, live, proven, rebuild_all, seal_first_day, verified


async def test_the_old_version_is_folded_on_and_a_rollback_answers_right_at_once(log: Log) -> None:
    await log.fill(3)
    await rebuild_all(log.database)
    await log.append([event._replace(event_id=f"later_{event.event_id}") for event in random_events(4, 60, hours=5)])
    await roll_back(log.database)  # nothing was folded since
    assert await log.read() == log.expected()
    await log.is_right(1, 2)


async def test_a_switch_leaves_no_more_to_read_than_there_was(single: Log) -> None:
    await single.fill(5)
    version, proofs = await proven(single.database)
    await single.append([event._replace(event_id=f"later_{event.event_id}") for event in random_events(6, 60, hours=5)])
    await versions.switch(single.database, version, proofs)
    rows = await single.database.rows(single.database.statements.read_hourly, 0, START, UNTIL, None)
    assert [row["amount"] for row in rows if row["measure"] == "lag_events"] == [0]
    assert await single.read() == single.expected()


@pytest.mark.parametrize(
    "wrong",
    ["truncate hourly_counts, hourly_members, hourly_edges", "update hourly_counts set events_00 = events_00 + 1"],
)
async def test_a_wrong_live_version_is_right_after_a_rebuild(log: Log, wrong: str) -> None:
    await log.fill(7)
    await catch_up(log.database)
    await log.admin.execute(wrong)
    await rebuild_all(log.database)
    await log.is_right(2)
    assert set(await verified(log.database)) == {VERIFIED}


async def test_rows_of_hours_that_nothing_tells_of_are_not_carried_over(single: Log) -> None:
    await single.fill(8)
    await single.admin.execute("insert into hourly_counts values (0, 1, $1, 'event_type', 'y', 1)", UNTIL + HOUR)
    await rebuild_all(single.database)
    await single.is_right(2)


async def test_an_hour_that_only_the_new_version_breaks_is_not_switched_to(single: Log) -> None:
    await single.fill(12, hours=HOURS)
    await seal_first_day(single)
    await filled(single.database)
    await single.admin.execute(
        "update hourly_counts set events_00 = events_00 + 1 where version = 2 and hour = $1", START
    )
    with pytest.raises(NotSwitched, match="1 hour of version 2 is broken; it was dropped"):
        await rebuild_all(single.database)
    assert await live(single.database) == 1


async def test_a_drifted_new_version_is_not_switched_to_and_the_next_rebuild_begins_anew(log: Log) -> None:
    await log.fill(13)
    version = await filled(log.database)
    await log.admin.execute("update hourly_counts set events_00 = events_00 + 1 where version = 2")
    proofs = [proof async for proof in versions.prove(log.database, version)]
    with pytest.raises(NotSwitched, match=r"\d+ hours of version 2 are drifted; it was dropped"):
        await versions.switch(log.database, version, proofs)
    assert await live(log.database) == 1
    assert await log.left(2) == {}
    await log.is_right(1)
    await rebuild_all(log.database)
    assert await live(log.database) == 3
    await log.is_right(1, 3)
