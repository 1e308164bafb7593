"""Rollups past their own retention are deleted; distinct sessions and users stay exact."""

from __future__ import annotations

from projections.conservation import conservation
from projections.projector import catch_up
from service.ingest.event import Event
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.projection import folded
from tests.support.retired_days import (
    EVENTS,
    answers,
    append_all,
    chain_is_whole,
    day,
    of_day,
    past,
    people,
    retire,
    states,
    totals,
    whole,
)
from tests.support.sharded import Sharded


async def test_rollups_past_their_retention_go_and_distinct_sessions_stay_exact(old: Sharded) -> None:
    events, ever = list(EVENTS), list(EVENTS)
    for last, numbers in ((2, (0, 1, 2, 3)), (3, ())):
        # By the clock of past(3), rollups are kept from the start of day `last` on.
        retired = await retire(old.database, 3, grace_days=0, rollup_days=3 + RETENTION_DAYS + 1 - last)
        assert retired == whole(*numbers, events=EVENTS)
        events = [event for event in events if event.timestamp >= day(last)]
        await check_rollups(old, events, ever, last)
        # Late events of sessions and users whose earlier hours are deleted, and of new ones.
        late = [
            an_event(900 + 10 * last + n, at=day(9) + n * HOUR, session=f"s{n}", user=f"u{n // 2}") for n in range(8)
        ]
        await append_all(old, late, clock=past(3))
        events += late
        ever += late
        await check_rollups(old, events, ever, last)
    assert await totals(old.database) == (len(EVENTS) + 16, 16 + 16, len(EVENTS) - 16)
    # Another pass finds nothing to do, and no rows are left behind.
    assert await retire(old.database, 3, grace_days=0, rollup_days=8) == []
    oldest = "select least((select min(hour) from hour_ledger), (select min(hour) from hourly_documents))"
    assert await old.admin.fetchval(oldest) >= day(3)
    assert await chain_is_whole(old) == await old.admin.fetchval("select count(*) from hour_seals")


async def check_rollups(old: Sharded, events: list[Event], ever: list[Event], last: int) -> None:
    """Assert that rows, answers, distinct sessions and proofs are right for the events that remain."""
    await catch_up(old.database)
    users = {event.user_id for event in events}
    for shard in range(old.shards):
        left = await folded(old.admin, shard=shard)
        assert left == oracle.retained(old.of_shard(shard, ever), day(last), users)
    assert await answers(old, day(0), day(12)) == oracle.fresh(events, day(0), day(12))
    edges = [day(number) + HOUR * hour for number in (last, 3, 9) for hour in (0, 7)] + [day(10)]
    for since in edges:
        for until in edges:
            if since < until:
                found = (await answers(old, since, until))["distinct_sessions", None, None]
                assert found == oracle.distinct(events, since, until)
                # Retention keeps the first visit of users, so that a returning user is not new again.
                assert await people(old, since, until) == oracle.people(ever, since, until)
    for (_, hour), state in (await states(old)).items():
        assert state == ("sealed" if hour < day(4) else "verified")
    assert (await totals(old.database))[2] == sum(len(of_day(number, EVENTS)) for number in range(4))


async def test_rollups_wait_for_a_day_that_is_kept_and_for_one_that_was_never_proven(log: Sharded) -> None:
    await log.admin.execute("delete from events where timestamp = $1", day(1))
    assert [retired.failed for retired in await retire(log.database, 3, grace_days=0, rollup_days=8)] == [
        False,
        True,
        False,
        False,
    ]
    hours = "select min(hour) from hourly_counts"
    assert await log.admin.fetchval(hours) == day(1)
    # An operator drops the stuck day by hand.
    await log.admin.execute(f"drop table events_{day(1):%Y%m%d}")
    assert await retire(log.database, 3, grace_days=0, rollup_days=8) == []
    assert await log.admin.fetchval(hours) == day(1)
    assert "damaged" in (await states(log)).values()
    assert not (await conservation(log.database))[0].holds
