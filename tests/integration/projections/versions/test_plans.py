"""No step of a rebuild compares all rows with all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from projections.hours import list_hours
from projections.projector import catch_up
from projections.rebuild import rebuild
from projections.versions import drop_old
from service.ingest.event import Event
from sql.hourly import DAMAGED, VERIFIED
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.projection import (
    START,
)
from tests.support.versions import Log, rebuild_all, verified


def crowded(count: int) -> list[Event]:
    """Return events of two hours. Their sessions are so numerous that comparing each with each would take minutes."""
    return [
        an_event(number, at=START + number * 7_200 / count * timedelta(seconds=1), session=f"s{number % (count // 2)}")
        for number in range(count)
    ]


@pytest.mark.parametrize("analyzed", [False, True], ids=["never analyzed", "analyzed before the version began"])
async def test_no_step_compares_all_with_all(single: Log, *, analyzed: bool) -> None:
    """Each statement has the service's time limit, and takes only some hundreds of milliseconds."""
    for table in ("hourly_counts", "hourly_members", "hourly_edges"):
        await single.admin.execute(f"alter table {table} set (autovacuum_enabled = off)")
    events = crowded(40_000)
    for place in range(0, len(events), 10_000):
        await single.append(events[place : place + 10_000])
        await catch_up(single.database)
    if analyzed:
        await single.admin.execute("analyze")
    proofs = await rebuild_all(single.database)
    assert [proof.state for proof in proofs] == [VERIFIED, VERIFIED]
    assert await verified(single.database) == {VERIFIED: 2}

    # Damage the first hour, so that it is carried over, and empty the other hour in the live version.
    await single.admin.execute("update events set demo_mode = false where event_id = 'evt_0'")
    await single.admin.execute("delete from hourly_members where version = 2 and hour_of(bucket) = $1", START + HOUR)
    states = [proof.state for proof in await rebuild_all(single.database)]
    assert states == [DAMAGED, VERIFIED]
    outcomes = [hour async for hour in rebuild(single.database, await list_hours(single.database, None, None))]
    assert [(hour.outcome, hour.rows_written) for hour in outcomes] == [("damaged", 0), ("rebuilt", 0)]
    await single.admin.execute("delete from hourly_members where version = 3 and hour_of(bucket) = $1", START + HOUR)
    outcomes = [hour async for hour in rebuild(single.database, await list_hours(single.database, START + HOUR, None))]
    assert outcomes[0].rows_written == 20_000
    await drop_old(single.database)
