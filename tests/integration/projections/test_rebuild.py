"""A rebuild mends every drift, hides no damage, and stays invisible to readers."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import pytest

from projections.hours import Hour, list_hours
from projections.rebuild import REBUILT, RebuiltHour, rebuild_hour
from sql.database import Database
from sql.hourly import DAMAGED
from tests.support import oracle
from tests.support.alterations import EVENTS, alter, fill, undone
from tests.support.damages import DAMAGES
from tests.support.drifts import DRIFTS
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, start_of
from tests.support.projection import (
    START,
    another_round,
    fold,
    folded,
    fresh,
    in_batches,
    proofs,
    random_events,
    rebuilt,
)

TRUNCATE = "truncate hourly_counts, hourly_members, hourly_edges"
# Delete all rows of the first hour; a reader must see all of them or none.
FORGET_HOUR = """
delete from hourly_counts where hour = {start};
delete from hourly_members where hour_of(bucket) = {start};
delete from hourly_edges where hour_of(bucket) = {start};
"""


def written(hours: list[RebuiltHour]) -> list[int]:
    return [hour.rows_written for hour in hours]


async def test_a_rebuild_mends_drift(database: Database, admin: asyncpg.Connection, subtests: pytest.Subtests) -> None:
    await fill(database)
    for name, drift in DRIFTS.items():
        with subtests.test(name):
            async with undone(admin):
                await alter(admin, drift.script)
                outcomes = await rebuilt(database)
                assert {outcome.outcome for outcome in outcomes} == {REBUILT}
                assert sum(written(outcomes)) > 0
                assert await folded(admin) == oracle.rows(EVENTS)
                assert {proof.state for proof in await proofs(database)} == {"verified"}
                assert set(written(await rebuilt(database))) == {0}


async def test_a_rebuild_leaves_damaged_hours_as_they_are(
    database: Database, admin: asyncpg.Connection, subtests: pytest.Subtests
) -> None:
    await fill(database)
    # A rebuild leaves the rollup of a damaged hour alone, even when it is as wrong as this.
    await admin.execute("update hourly_counts set events_00 = events_00 + 1000")
    before, whole = await folded(admin), oracle.rows(EVENTS)
    for name, damage in DAMAGES.items():
        with subtests.test(name):
            async with undone(admin):
                await alter(admin, damage.script)
                outcomes = await rebuilt(database)
                after = await folded(admin)
            damaged = {outcome.hour.start for outcome in outcomes if outcome.outcome == DAMAGED}
            assert damaged == set(damage.fields)
            kept = {name: n for name, n in before.counts.items() if start_of(name[0], HOUR) in damaged}
            mended = {name: n for name, n in whole.counts.items() if start_of(name[0], HOUR) not in damaged}
            assert after.counts == oracle.Counts(kept | mended)
            assert (after.members, after.edges) == (whole.members, whole.edges)


async def test_a_rebuild_of_what_is_right_writes_nothing(database: Database) -> None:
    for batch in in_batches(random_events(6, 150, hours=6), seed=6):
        await append(database, batch)
        await fold(database)
    assert {proof.state for proof in await proofs(database)} == {"verified"}
    assert set(written(await rebuilt(database))) == {0}


@pytest.mark.parametrize("seed", [1, 2])
async def test_hours_are_rebuilt_from_nothing_in_any_order(
    database: Database, admin: asyncpg.Connection, seed: int
) -> None:
    log = oracle.Log()
    for batch in in_batches(random_events(seed, 150, hours=10), seed):
        await append(database, batch)
        log.append(batch)
    await fold(database, limit=100)
    before = await folded(admin)
    hours = await list_hours(database, None, None)
    await admin.execute(TRUNCATE)
    random.Random(seed).shuffle(hours)
    for hour in hours:
        await rebuild_hour(database, hour)
    # Rebuilds stop at the checkpoint; a fold adds the rest.
    assert await folded(admin) == before
    await fold(database)
    assert await folded(admin) == oracle.rows(log.events)


async def test_only_the_hours_asked_for_are_rebuilt(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database)
    await admin.execute("update hourly_counts set events_00 = 100")
    for hour in await list_hours(database, START, START + HOUR):
        await rebuild_hour(database, hour)
    wrong = {start_of(name[0], HOUR) for name, n in (await folded(admin)).counts.items() if n == 100}
    assert wrong == {START + HOUR, START + 3 * HOUR}


async def totals_while(database: Database, done: asyncio.Event, looked: asyncio.Event) -> list[tuple[int, int]]:
    """Read the first hour over and over; return the totals of events and sessions that each read saw."""
    seen = []
    while not done.is_set():
        found = await fresh(database, START, START + HOUR)
        events = sum(n for (measure, _, _), n in found.items() if measure == "event_type")
        seen.append((events, found["sessions", START, None]))
        looked.set()
    return seen


async def test_totals_never_go_down_while_an_hour_is_rebuilt(database: Database) -> None:
    """An hour is rebuilt over and over while events are appended to it and folded."""
    done, looked, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    rebuilds = 0

    async def write() -> None:
        for number, chunk in enumerate(in_batches(random_events(9, 2_000, hours=1, sessions=40), seed=9)):
            await append(database, chunk)
            if number % 5 == 0:
                await another_round(looked, again)
        done.set()

    async def project() -> None:
        while not done.is_set():
            await fold(database, limit=25)

    async def rebuild_all() -> None:
        nonlocal rebuilds
        hour = Hour(0, 1, START, 0)
        while not done.is_set():
            assert await rebuild_hour(database, hour) == RebuiltHour(hour, REBUILT, 0)
            rebuilds += 1
            again.set()

    seen, *_ = await asyncio.gather(totals_while(database, done, looked), rebuild_all(), write(), project())
    assert rebuilds > 20
    assert len(set(seen)) > 20
    assert [events for events, _ in seen] == sorted(events for events, _ in seen)
    assert [sessions for _, sessions in seen] == sorted(sessions for _, sessions in seen)


async def test_readers_see_an_hour_come_back_whole(database: Database, admin: asyncpg.Connection) -> None:
    events = await fill(database)
    whole = await fresh(database, START, START + HOUR)
    assert whole == oracle.fresh(events, START, START + HOUR)
    (hour, *_) = await list_hours(database, None, None)
    done = asyncio.Event()

    async def break_and_mend() -> None:
        for _ in range(60):
            await alter(admin, f"begin; {FORGET_HOUR} commit")
            assert (await rebuild_hour(database, hour)).rows_written > 0
        done.set()

    async def read() -> list[oracle.Fresh]:
        found = []
        while not done.is_set():
            found.append(await fresh(database, START, START + HOUR))
        return found

    found, _ = await asyncio.gather(read(), break_and_mend())
    assert whole in found
    assert [each for each in found if each not in (whole, oracle.Fresh())] == []


async def test_a_late_event_after_a_rebuild_is_folded_onto_it(database: Database, admin: asyncpg.Connection) -> None:
    events = await fill(database)
    await admin.execute(TRUNCATE)
    await rebuilt(database)
    late = an_event(50, at=START + HOUR / 2, session="s1")
    await append(database, [late])
    await fold(database)
    assert await folded(admin) == oracle.rows([*events, late])
