"""A day that is not proven is kept, and reported; it goes when it is mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from projections import retention
from projections.conservation import conservation
from projections.hours import list_hours
from projections.rebuild import rebuild
from projections.retention import RetiredDay
from service.console import counted
from sql.database import Database
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projections_command import run
from tests.support.retired_days import (
    EVENTS,
    MADE,
    chain_is_whole,
    day,
    past,
    reading_at,
    retire,
    states,
    whole,
)
from tests.support.sharded import Sharded

BROKEN_DAYS = {
    "damaged": (
        """
        create temporary table kept as select * from events where event_id = 'evt_17';
        delete from events where event_id = 'evt_17'
        """,
        "insert into events select * from kept",
    ),
    "drifted": ("update hourly_counts set events_00 = events_00 + 1 where hour = {}", ""),
}


@pytest.mark.parametrize("state", BROKEN_DAYS)
async def test_a_day_that_does_not_verify_is_kept_and_reported_and_goes_when_it_is_mended(
    old: Sharded, state: str
) -> None:
    harm, mend = BROKEN_DAYS[state]
    (event,) = [event for event in EVENTS if event.event_id == "evt_17"]
    shard = old.shard_of(event.session_id)
    await old.admin.execute(harm.format(f"'{oracle.start_of(event.timestamp, QUARTER):%Y-%m-%d %H:%M}+00'"))
    wrong = [place for place, found in (await states(old)).items() if found == state]
    assert (shard, day(1)) in wrong
    why = f"hour 00:00 of shard {min(wrong)[0]} is {state}"
    retired = await retire(old.database, 2)
    kept = RetiredDay(day(1).date(), retired[1].events, why, failed=True)
    assert retired == [whole(0, events=EVENTS)[0], kept, whole(2, events=EVENTS)[0]]

    assert await old.admin.fetchval("select count(*) from retired_days where day = $1", day(1).date()) == 0
    failed = await old.database.only(old.database.statements.count_failed_proofs)
    assert failed[state] == len(wrong)
    proof = await old.database.only(old.database.statements.read_proof, min(wrong)[0], "hourly", day(1))
    assert (proof["state"], proof["sealed_at"]) == (state, None)
    assert await retire(old.database, 2) == [kept]

    await old.admin.execute(mend or "select")
    async for _ in rebuild(old.database, await list_hours(old.database, day(1), day(2))):
        pass
    assert await retire(old.database, 2) == whole(1, events=EVENTS)
    assert set((await states(old)).values()) == {"sealed", "verified"}
    await chain_is_whole(old)


async def test_the_clocks_pass_leaves_a_day_alone_for_an_hour_after_it_failed(log: Sharded) -> None:
    read = "select max(verified_at) from hour_proofs where hour = $1"

    async def clocks_pass(minutes: int) -> list[RetiredDay]:
        clock = past(1) + timedelta(minutes=minutes)
        kept = Retention(RETENTION_DAYS, 90, RETENTION_DAYS)
        patient = retention.retain(
            log.database, kept, force=True, patience=retention.PATIENCE, reading=reading_at(clock)
        )
        return [retired async for retired in patient]

    await log.admin.execute("delete from events where timestamp = $1", day(1))
    assert [(retired.day, retired.failed) for retired in await clocks_pass(0)] == [
        (day(0).date(), False),
        (day(1).date(), True),
    ]
    assert await clocks_pass(59) == []
    assert await log.admin.fetchval(read, day(1)) == past(1)
    assert [retired.failed for retired in await clocks_pass(60)] == [True]
    assert await log.admin.fetchval(read, day(1)) == past(1) + HOUR


async def test_a_day_that_is_not_folded_is_kept_for_now(log: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fold_nothing(_: Database) -> int:
        return 0

    late = an_event(900, at=day(0) + 7 * HOUR)
    await append(log.database, [late], clock=day(1))
    with monkeypatch.context() as behind:
        behind.setattr(retention, "catch_up", fold_nothing)
        (kept,) = await retire(log.database, 0)
        assert kept.hindrance == "hour 07:00 of shard 0 is not folded yet"
        assert not kept.failed
        # Sealed hours alone are not enough, because detach_day checks the day as a whole.
        hindered = await log.database.only(log.database.statements.detach_day, day(0).date(), past(2), past(0), None)
        assert tuple(hindered) == ("not folded", False)
    assert await retire(log.database, 0) == whole(0, events=[*EVENTS, late])


async def test_a_day_that_something_else_stands_on_is_kept_and_the_others_go(log: Sharded) -> None:
    partition = await log.admin.fetchval("select day_partition($1)", day(0).date())
    await log.admin.execute(f"create view mine as table {partition}")
    *others, kept = await retire(log.database, 2, grace_days=0)
    assert (kept.day, kept.failed, kept.dropped) == (day(0).date(), True, True)
    assert kept.hindrance is not None
    assert "other objects depend on it" in kept.hindrance
    assert others == whole(0, 1, 2, events=EVENTS)
    assert [row["day"] for row in await log.database.rows(log.database.statements.list_detached_days)] == [kept.day]
    await log.admin.execute("drop view mine")
    assert await retire(log.database, 2, grace_days=0) == []
    assert await log.database.rows(log.database.statements.list_detached_days) == []


async def test_a_day_that_came_back_is_kept_and_found(log: Sharded) -> None:
    await retire(log.database, 0, grace_days=0)
    assert not (await log.database.only(log.database.statements.make_day, day(0).date()))["made"]
    await log.admin.execute("create table back (like events including all)")
    await log.admin.execute(
        f"alter table events attach partition back for values from ('{day(0)}') to ('{day(1)}');"
        " alter table back rename to " + await log.admin.fetchval("select day_partition($1)", day(0).date())
    )
    await log.admin.execute(
        "insert into events (position, timestamp, received_at, shard, demo_mode, event_id, session_id, event_type)"
        " values (99, $1, now(), 0, true, 'by hand', 's1', 'page_viewed')",
        day(0),
    )
    assert await retire(log.database, 0) == [
        RetiredDay(day(0).date(), 16, "there again: it was dropped before", failed=True)
    ]
    (shard,) = await conservation(log.database)
    assert (shard.stored, shard.live, shard.retired) == (len(EVENTS), len(EVENTS) - 16 + 1, 16)


def line(days: int, events: int, *, kept: int) -> str:
    """Return the last line of a pass that dropped nothing for good."""
    retired = f"{counted(days, 'day')}, {counted(events, 'event')} retired"
    return f"retention: {retired}, 0 days, 0 events dropped, {counted(kept, 'day')} kept"


async def test_the_command_exits_1_for_a_day_that_does_not_verify_and_0_when_it_has_gone(log: Sharded) -> None:
    await log.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", day(1))
    # All of these days are due by the real clock, which the command uses; it is weeks ahead of the newest event.
    waits = await run(log.url, "retention")
    assert (waits.code, waits.output.splitlines()[-1]) == (0, line(0, 0, kept=0))
    assert "ahead of the time that is known to have passed, and retention waits: " in waits.errors
    kept = await run(log.url, "retention", "--force")
    assert kept.code == 1
    assert kept.output.splitlines()[-2:] == [
        f"{day(1).date()}: kept: hour 00:00 of shard 0 is drifted",
        line(len(MADE) - 1, len(EVENTS) - 16, kept=1),
    ]
    assert "a day is kept " in kept.output + kept.errors
    verified = await run(log.url, "verify")
    assert verified.code == 1
    assert (await run(log.url, "rebuild", "--from", f"{day(1):%Y-%m-%d}", "--to", f"{day(2):%Y-%m-%d}")).code == 0
    gone = await run(log.url, "retention")
    assert (gone.code, gone.output.splitlines()[-1]) == (0, line(1, 16, kept=0))
    clean = await run(log.url, "verify")
    assert (clean.code, clean.output.splitlines()[-1].rpartition(": ")[2]) == (0, "clean")
