"""Appends at the same time, in opposite order, rolled back, repeated; and at the ends of hours, days, centuries."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from projections.projector import step
from service.ingest import appender as module
from service.ingest.event import Event
from service.ingest.outcomes import STORED, UNAVAILABLE
from sql.days import make_days
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import NOW, an_event, append, until_waited_for
from tests.support.oracle import HOUR, start_of
from tests.support.projection import START, fresh, random_events
from tests.support.severed_connection import severable
from tests.support.sharded import Sharded, appending

DAY = 24 * HOUR
MICROSECOND = timedelta(microseconds=1)
MIDNIGHT = start_of(NOW, DAY)
DUPLICATE = "duplicate"
ENDS = pytest.mark.parametrize("end", ["commit", "rollback"])
# The smallest UUIDs of version 7 for the years 1970 and 2100.
IDS_OF_OTHER_YEARS = ("evt_00000000000070008000000000000000", "evt_03bb2cc3d80070008000000000000000")


async def append_and_hold(sharded: Sharded, events: list[Event]) -> asyncpg.transaction.Transaction:
    """Append events of one shard, and leave the transaction open."""
    transaction = sharded.admin.transaction()
    await transaction.start()
    columns = [list(column) for column in zip(*events, strict=True)]
    shard = sharded.shard_of(events[0].session_id)
    statement = sharded.database.statements.append_events
    assert await sharded.admin.fetch(statement, shard, RETENTION_DAYS, None, *columns, None) == []
    return transaction


@ENDS
async def test_an_append_that_is_held_open_is_not_overtaken(sharded: Sharded, end: str) -> None:
    """If a later append committed first, checkpoints would pass the earlier one and no fold would ever see it."""
    early, late = [an_event(n) for n in range(3)], [an_event(n) for n in range(3, 6)]
    shard = sharded.shard_of(early[0].session_id)
    held = await append_and_hold(sharded, early)
    waiting = asyncio.create_task(append(sharded.database, late, shard=shard))
    await until_waited_for(sharded.admin)
    assert await step(sharded.database) == 0
    elsewhere = [an_event(9, session=f"s{n}") for n in range(2, 50) if sharded.shard_of(f"s{n}") != shard][:1]
    for event in elsewhere:
        assert await append(sharded.database, [event], shard=sharded.shard_of(event.session_id)) == {}
    await getattr(held, end)()
    assert await waiting == {}
    stored = [*early, *late] if end == "commit" else late
    rows = await sharded.admin.fetch("select position, event_id from events where shard = $1 order by 1", shard)
    assert [tuple(row) for row in rows] == [(n, event.event_id) for n, event in enumerate(stored, start=1)]
    await sharded.check([*stored, *elsewhere])


async def test_an_append_that_waits_too_long_is_told_and_can_be_sent_again(
    sharded: Sharded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPEAT_SECONDS", 0.1)
    early, late = [an_event(0)], [an_event(1), an_event(0)]
    async with appending(sharded.url, lock_seconds=1) as appender:
        held = await append_and_hold(sharded, early)
        assert await appender.append(late) == [UNAVAILABLE] * 2
        await held.commit()
    async with appending(sharded.url) as another:
        assert await another.append(late) == [STORED, DUPLICATE]
    await sharded.check([*early, late[0]])


@ENDS
async def test_an_id_in_two_batches_at_once_is_stored_once(sharded: Sharded, end: str) -> None:
    """The second batch waits until the transaction that first holds the ids ends."""
    first, second = [an_event(n) for n in (1, 2, 3)], [an_event(n) for n in (3, 4, 2, 4)]
    shard = sharded.shard_of(first[0].session_id)
    held = await append_and_hold(sharded, first)
    waiting = asyncio.create_task(append(sharded.database, second, shard=shard))
    await until_waited_for(sharded.admin)
    await getattr(held, end)()
    doubled = {3: DUPLICATE}
    assert await waiting == ({0: DUPLICATE, 2: DUPLICATE} | doubled if end == "commit" else doubled)
    again = [*first, *second]
    left = {0, 4} if end == "rollback" else set()
    outcomes = await append(sharded.database, again, shard=shard)
    assert set(range(len(again))) - set(outcomes) == {0} & left
    await sharded.check([an_event(n) for n in (1, 2, 3, 4)])


async def test_overlapping_batches_in_opposite_order_do_not_deadlock(
    sharded: Sharded, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The appender must not repeat, because a repetition would hide a deadlock.
    monkeypatch.setattr(module, "REPEAT_SECONDS", 0.0)
    events = [an_event(n, session=f"s{n % 40}") for n in range(1_200)]
    async with appending(sharded.url) as one, appending(sharded.url) as other:
        for place in range(0, len(events), 200):
            batch = events[place : place + 300]
            outcomes, opposite = await asyncio.gather(one.append(batch), other.append(batch[::-1]))
            pairs = Counter(tuple(sorted(pair)) for pair in zip(outcomes, opposite[::-1], strict=True))
            known = 100 if place else 0
            fresh_ones = {(DUPLICATE, STORED): len(batch) - known}
            assert pairs == fresh_ones | ({(DUPLICATE, DUPLICATE): known} if known else {})
    await sharded.check(events)


async def test_a_batch_over_midnight_is_one_batch(sharded: Sharded) -> None:
    moments = [MIDNIGHT - DAY + step for step in (-HOUR, -MICROSECOND, timedelta(0), MICROSECOND, HOUR)]
    events = [an_event(n, at=at, session=f"s{n % 7}") for n, at in enumerate(moments * 20)]
    async with appending(sharded.url) as appender:
        assert await appender.append(events) == [STORED] * 100
        assert await appender.append(events) == [DUPLICATE] * 100
    days = await sharded.admin.fetch("select tableoid::regclass::text, count(*) from events group by 1 order by 1")
    assert [tuple(row) for row in days] == [
        (f"events_{MIDNIGHT - 2 * DAY:%Y%m%d}", 40),
        (f"events_{MIDNIGHT - DAY:%Y%m%d}", 60),
    ]
    await sharded.check(events)


@pytest.mark.parametrize("readers_hold_events", [False, True], ids=["at rest", "while a report reads"])
async def test_the_next_day_that_is_missing_at_midnight_is_made(sharded: Sharded, readers_hold_events: bool) -> None:
    """All shards of two processes find the day missing at the same time."""
    midnight = MIDNIGHT + DAY
    await sharded.admin.execute(f"drop table events_{midnight:%Y%m%d}, events_{midnight + DAY:%Y%m%d}")
    reader = sharded.admin.transaction()
    await reader.start()
    if readers_hold_events:
        assert await sharded.admin.fetchval("select count(*) from events") == 0
    batches = [
        [an_event(n, at=midnight + step, session=f"s{n}") for n, step in enumerate([-HOUR, timedelta(0), HOUR] * 20)],
        [an_event(n, at=midnight + step, session=f"s{n}") for n, step in enumerate([HOUR, DAY - HOUR] * 30, start=100)],
    ]
    async with (
        appending(sharded.url, clock=midnight) as one,
        appending(sharded.url, clock=midnight) as other,
    ):
        found = await asyncio.gather(one.append(batches[0]), other.append(batches[1]))
    assert found[0] == found[1] == [STORED] * 60
    await reader.rollback()
    assert await make_days(sharded.database, RETENTION_DAYS, midnight) == 0
    await sharded.check(batches[0] + batches[1])


@pytest.mark.parametrize("year", [1970, 2100])
async def test_other_years_are_counted_when_the_clock_is_there(sharded: Sharded, year: int) -> None:
    new_year = datetime(year, 1, 1, tzinfo=UTC)
    moments = [new_year + step for step in (-HOUR, -MICROSECOND, timedelta(0), MICROSECOND, HOUR - MICROSECOND, HOUR)]
    events = [an_event(n, at=at, session=f"s{n % 4}") for n, at in enumerate(moments * 4)]
    async with appending(sharded.url, clock=new_year + HOUR / 2) as appender:
        assert await appender.append(events) == [STORED] * 24
        assert await appender.append(events[::-1]) == [DUPLICATE] * 24
    await sharded.check(events)


async def test_an_id_tells_nothing_of_its_events_time(sharded: Sharded) -> None:
    events = [an_event(n)._replace(event_id=name) for n, name in enumerate(IDS_OF_OTHER_YEARS)]
    others = [
        event._replace(timestamp=NOW.replace(year=year, day=1))
        for event, year in zip(events, (1970, 2100), strict=True)
    ]
    async with appending(sharded.url) as appender:
        assert await appender.append([*events, *others]) == [STORED, STORED, "expired", "future"]
        assert await appender.append(events) == [DUPLICATE] * 2
    await sharded.check(events)


async def test_each_microsecond_counts_in_its_hour(sharded: Sharded) -> None:
    """Reads count it in the same hour from the tail and from the rollup."""
    edges = [START + hours * HOUR + step for hours in range(3) for step in (-MICROSECOND, timedelta(0), MICROSECOND)]
    events = [an_event(n, at=at, session=f"s{n}") for n, at in enumerate(edges)]
    ranges = [(START + a * HOUR, START + b * HOUR) for a in range(-1, 3) for b in range(a + 1, 4)]
    async with appending(sharded.url) as appender:
        assert await appender.append(events) == [STORED] * len(events)
    for _ in ("tail", "rollup"):
        for since, until in ranges:
            found = oracle.Fresh()
            for shard in range(sharded.shards):
                found += await fresh(sharded.database, since, until, shard=shard)
            assert found == oracle.fresh(events, since, until)
        await step(sharded.database)
    await sharded.check(events)


async def test_a_batch_whose_answers_are_lost_is_stored_once(sharded: Sharded) -> None:
    events = [an_event(n, session=f"s{n}") for n in range(600)]
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        async with severable(sharded.url, Path(folder)) as way, appending(way.url) as appender:
            way.answers_to_swallow = 3
            assert set(await appender.append(events)) <= {STORED, DUPLICATE}
            assert way.answers_to_swallow == 0
            assert await appender.append(events) == [DUPLICATE] * 600
    async with appending(sharded.url) as another:
        assert await another.append(events) == [DUPLICATE] * 600
    await sharded.check(events)


async def test_a_batch_sent_again_after_the_days_end_is_stored_once(sharded: Sharded) -> None:
    """The second process remembers nothing of the day before, and still finds the duplicates."""
    horizon = MIDNIGHT - RETENTION_DAYS * DAY
    moments = [horizon, horizon + DAY, MIDNIGHT, MIDNIGHT + DAY - MICROSECOND, MIDNIGHT + DAY]
    events = [an_event(n, at=moments[n % 5], session=f"s{n}") for n in range(100)]
    async with appending(sharded.url, clock=MIDNIGHT + DAY - MICROSECOND) as before:
        assert await before.append(events) == [STORED] * 100
    async with appending(sharded.url, clock=MIDNIGHT + DAY) as after:
        assert await after.append(events) == ["expired", *[DUPLICATE] * 4] * 20
    await sharded.check(events)


async def test_what_senders_repeat_at_random_is_stored_once(sharded: Sharded) -> None:
    events = random_events(12, 600)
    log = oracle.Log()
    log.append(events)
    async with appending(sharded.url) as one, appending(sharded.url) as other:
        found = await asyncio.gather(
            *(appender.append(events[place : place + 90]) for place in range(0, 600, 60) for appender in (one, other))
        )
    assert Counter(outcome for outcomes in found for outcome in outcomes)[STORED] == len(log.events)
    await sharded.check(log.events)
