"""Retention drops a day past the horizon only when it is proven, and loses nothing else with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import count

import asyncpg
import pytest
import pytest_asyncio

from projections import retention
from projections.hours import Hour, list_hours
from projections.projector import catch_up, step
from projections.rebuild import REBUILT, rebuild
from projections.retention import RetiredDay
from projections.verify import HourProof, conservation, verify, verify_hour
from service.ingest.event import Event
from sql.database import Database, Session
from sql.errors import Lost
from sql.hourly import SEALED
from sql.migrate import SchemaRefused, list_migrations, migrate, rollback
from tests.conftest import RETENTION_DAYS, Servers
from tests.support import oracle
from tests.support.log import an_event, append, head_locked, until_waited_for
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import another_round, folded
from tests.support.projections_command import run
from tests.support.retired_days import (
    DAY,
    MADE,
    MICROSECOND,
    answers,
    append_all,
    day,
    fill,
    of_day,
    old_events,
    past,
    people,
    retire,
    totals,
    whole,
)
from tests.support.sharded import Sharded, sharded_log

EVENTS = old_events()
MILLISECOND = timedelta(milliseconds=1)
WITNESSES = "select shard, hour, a.* from (select distinct shard, hour from hour_ledger) h, appended(shard, hour) a"
PARTITIONS = """
select to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD')
from pg_inherits
where inhparent = 'events'::regclass
order by 1
"""
SEALS = "select * from hour_seals order by shard, sequence"


@pytest.fixture(params=[1, 8])
def shards(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest_asyncio.fixture
async def old(servers: Servers, postgres_version: int, shards: int) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, shards) as sharded:
        await fill(sharded, EVENTS)
        yield sharded


@pytest_asyncio.fixture
async def log(database: Database, database_url: str, admin: asyncpg.Connection) -> Sharded:
    """Give a folded log of old days on one shard."""
    sharded = Sharded(database_url, 1, database, admin)
    await fill(sharded, EVENTS)
    return sharded


async def chain_is_whole(sharded: Sharded) -> int:
    """Assert that each shard's seals form one chain without gaps or repeats; return the number of all seals."""
    seals = await sharded.admin.fetch("select shard, sequence, hour, previous_hash, hash from hour_seals order by 1, 2")
    for shard in range(sharded.shards):
        chain = [seal for seal in seals if seal["shard"] == shard]
        assert [seal["sequence"] for seal in chain] == list(range(1, len(chain) + 1))
        assert [seal["previous_hash"] for seal in chain] == [bytes(32), *(seal["hash"] for seal in chain)][: len(chain)]
        assert len({seal["hour"] for seal in chain}) == len(chain)
    return len(seals)


async def states(sharded: Sharded, since: datetime | None = None) -> dict[tuple[int, datetime], str]:
    """Verify every hour at a clock when no day is past the horizon; return the state by shard and hour."""
    hours = await list_hours(sharded.database, since, None)
    found = [await verify_hour(sharded.database, hour, clock=day(8)) for hour in hours]
    return {(proof.hour.shard, proof.hour.start): proof.state for proof in found}


async def test_a_day_past_the_horizon_is_proven_sealed_and_dropped(old: Sharded) -> None:
    before = await answers(old, day(0), day(12))
    witnesses = await old.admin.fetch(WITNESSES)
    assert before == oracle.fresh(EVENTS, day(0), day(12))
    assert await totals(old.database) == (len(EVENTS), len(EVENTS), 0)

    assert await retire(old.database, 0) == whole(0, events=EVENTS)

    gone = len(of_day(0, EVENTS))
    assert await totals(old.database) == (len(EVENTS), len(EVENTS) - gone, gone)
    assert await old.admin.fetchval("select min(timestamp) from events") == day(1)
    assert (await old.admin.fetch(PARTITIONS))[0][0] == day(1).date()
    assert await answers(old, day(0), day(12)) == before
    assert await answers(old, day(0) + 7 * HOUR, day(1) + HOUR) == oracle.fresh(
        EVENTS, day(0) + 7 * HOUR, day(1) + HOUR
    )
    assert await old.admin.fetch(WITNESSES) == witnesses
    for (_, hour), state in (await states(old)).items():
        assert state == ("sealed" if hour < day(1) else "verified")
    for shard in range(old.shards):
        if old.of_shard(shard, of_day(0, EVENTS)):
            hour = await old.admin.fetchval("select min(hour) from hour_seals where shard = $1", shard)
            proof = await old.database.only(old.database.statements.read_proof, shard, "hourly", hour)
            assert (proof["state"], proof["current"], proof["sealed_at"]) == ("sealed", True, past(0))
    seals = await old.admin.fetch(SEALS)
    assert await chain_is_whole(old) == len(seals) > 0
    assert await retire(old.database, 0) == []
    assert await old.admin.fetch(SEALS) == seals

    # The next pass drops the following days, including days without events.
    assert await retire(old.database, 4) == whole(1, 2, 3, 4, events=EVENTS)
    assert await answers(old, day(0), day(12)) == before
    assert await totals(old.database) == (len(EVENTS), len(of_day(9, EVENTS)), len(EVENTS) - len(of_day(9, EVENTS)))
    await chain_is_whole(old)


async def test_an_append_to_a_closed_day_is_expired_and_its_neighbours_are_stored(log: Sharded) -> None:
    await retire(log.database, 0)
    batch = [an_event(number, at=at) for number, at in ((900, day(0)), (901, day(1)), (902, day(1) - MICROSECOND))]
    assert await append(log.database, batch, clock=past(0)) == {0: "expired", 2: "expired"}
    # The horizon never moves back, even when another clock is behind.
    assert await append(log.database, batch[:1], clock=day(1)) == {0: "expired"}
    assert await totals(log.database) == (len(EVENTS) + 1, len(EVENTS) + 1 - 16, 16)


async def test_an_append_that_waits_while_the_horizon_moves_loses_cleanly(log: Sharded) -> None:
    batch = [an_event(900, at=day(0) + HOUR), an_event(901, at=day(1) + HOUR)]
    async with head_locked(log.url) as holder:
        waiting = asyncio.create_task(append(log.database, batch, clock=day(1)))
        await until_waited_for(holder)
        await holder.fetch(log.database.statements.advance_horizon, 0, RETENTION_DAYS, past(0))
        await holder.execute("commit; begin")
        assert await waiting == {0: "expired"}
    (dropped,) = await retire(log.database, 0)
    assert dropped == whole(0, events=EVENTS)[0]
    assert set((await states(log)).values()) == {"sealed", "verified"}
    assert await totals(log.database) == (len(EVENTS) + 1, len(EVENTS) + 1 - 16, 16)


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
        patient = retention.retain(log.database, RETENTION_DAYS, 90, patience=retention.PATIENCE, clock=clock)
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
        # Dropping checks the whole day again, even though its hours passed one by one.
        hindered = await log.database.only(log.database.statements.drop_day, day(0).date(), past(0))
        assert tuple(hindered) == ("not folded", False)
    assert await retire(log.database, 0) == whole(0, events=[*EVENTS, late])


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold the lock that every reader of the log holds."""
    connection = await asyncpg.connect(url)
    await connection.execute("begin; lock table events in access share mode")
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_day_in_use_is_left_for_later_and_holds_nobody_up(log: Sharded) -> None:
    slowest = 0.0
    done = asyncio.Event()

    async def keep_appending() -> None:
        nonlocal slowest
        number = 1_000
        while not done.is_set():
            started = time.monotonic()
            await append(log.database, [an_event(number, at=day(9) + HOUR)], clock=past(0) + 2 * DAY)
            slowest = max(slowest, time.monotonic() - started)
            number += 1

    async with reading(log.url):
        appending = asyncio.create_task(keep_appending())
        (kept,) = await retire(log.database, 0)
        done.set()
        await appending
        assert kept == RetiredDay(day(0).date(), 16, "canceling statement due to lock timeout", in_use=True)
        assert slowest < 10  # five waits of 200 ms, and time for a busy machine
        seals = await log.admin.fetch(SEALS)
        # A patient pass does not read the day again at once, because it may still be in use.
        assert await retire(log.database, 0, patience=retention.PATIENCE) == []
        assert set((await states(log)).values()) == {"verified"}
    assert await retire(log.database, 0) == whole(0, events=EVENTS)
    assert await log.admin.fetch(SEALS) == seals


async def test_while_the_log_is_read_only_one_day_is_tried(log: Sharded) -> None:
    async with reading(log.url):
        assert [(kept.day, kept.in_use) for kept in await retire(log.database, 2)] == [(day(0).date(), True)]
    assert await retire(log.database, 2) == whole(0, 1, 2, events=EVENTS)


async def test_a_day_that_something_else_stands_on_is_kept_and_the_others_go(log: Sharded) -> None:
    partition = await log.admin.fetchval("select day_partition($1)", day(0).date())
    await log.admin.execute(f"create view mine as table {partition}")
    kept, *others = await retire(log.database, 2)
    assert (kept.day, kept.failed) == (day(0).date(), True)
    assert kept.hindrance is not None
    assert "other objects depend on it" in kept.hindrance
    assert others == whole(1, 2, events=EVENTS)
    await log.admin.execute("drop view mine")
    assert await retire(log.database, 2) == whole(0, events=EVENTS)


async def test_two_passes_at_once_are_as_good_as_one(old: Sharded) -> None:
    another = Database(old.url)
    both = await asyncio.gather(*(retire(database, 3) for database in (old.database, another)))
    await another.close()
    dropped = sorted(retired.day for each in both for retired in each if retired.hindrance is None)
    assert [retired for each in both for retired in each if retired.failed] == []
    # A pass that timed out on the other's locks may leave a day to the next pass.
    dropped += [retired.day for retired in await retire(old.database, 3)]
    assert sorted(dropped) == [day(number).date() for number in range(4)]
    assert set((await states(old)).values()) == {"sealed", "verified"}
    await chain_is_whole(old)
    assert await answers(old, day(0), day(12)) == oracle.fresh(EVENTS, day(0), day(12))


class Busy(Database):
    """A database that appends an event before each look at the checkpoints, as if senders never paused."""

    sent = 0

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        if query == self.statements.list_checkpoints:
            self.sent += 1
            await append(self, [an_event(2_000 + self.sent, at=day(10))], clock=past(3))
        return await super().rows(query, *args)


async def test_a_pass_ends_although_there_is_always_more_to_fold(log: Sharded) -> None:
    busy = Busy(log.url)
    async with asyncio.timeout(60):
        await append(log.database, [an_event(2_000, at=day(10))], clock=past(3))
        assert await retire(busy, 3) == whole(*range(4), events=EVENTS)
    assert busy.sent > 0
    await busy.close()


async def test_an_hour_of_a_version_that_has_ended_is_not_sealed(log: Sharded) -> None:
    """Its rows are being deleted, so a seal of the remaining ones would stay broken for ever."""
    statements = log.database.statements
    await log.database.only(statements.advance_horizon, 0, RETENTION_DAYS, past(0))
    (hour, *_) = await list_hours(log.database, day(0), day(1))
    proof = await verify_hour(log.database, hour)
    where = hour.start, *proof.folded, "test", past(0)
    assert [(await log.database.only(statements.seal_hour, 0, version, *where))["sealed"] for version in (2, 1)] == [
        False,
        True,
    ]
    assert await chain_is_whole(log) == 1


class Beside:
    """Appends, folds, verifications and rebuilds that run over and over beside a pass."""

    def __init__(self, old: Sharded) -> None:
        self.old = old
        self.done, self.checked, self.mended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.sent: list[Event] = []
        self.found: list[HourProof] = []

    async def write(self) -> None:
        numbers = range(len(self.sent), len(self.sent) + 5)
        batch = [an_event(1_000 + n, at=day(10) + n * MILLISECOND, session=f"s{n % 6}") for n in numbers]
        await append_all(self.old, batch, clock=past(3))
        self.sent += batch

    async def project(self) -> None:
        await step(self.old.database)
        await self.old.database.only(self.old.database.statements.compact_receipts, 0)

    async def check(self) -> None:
        hours = await list_hours(self.old.database, None, None)
        self.found += [proof async for proof in verify(self.old.database, hours)]
        self.checked.set()

    async def mend(self) -> None:
        async for rebuilt in rebuild(self.old.database, await list_hours(self.old.database, None, day(4))):
            assert rebuilt.outcome in (REBUILT, SEALED)
            assert rebuilt.rows_written == 0
        self.mended.set()

    async def repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self.done.is_set():
            await work()

    async def retire(self) -> list[RetiredDay]:
        """Run passes until no day is left, with a round of the other works before and after; return the failed days."""
        database = Database(self.old.url)
        await another_round(self.checked, self.mended)
        failed: list[RetiredDay] = []
        while (retired := await retire(database, 3)) and not failed:
            failed += [each for each in retired if each.failed]
        await another_round(self.checked, self.mended)
        self.done.set()
        await database.close()
        return failed


async def test_a_pass_beside_appends_folds_verifies_and_rebuilds(old: Sharded) -> None:
    beside = Beside(old)
    works = (beside.write, beside.project, beside.check, beside.mend)
    failed, *_ = await asyncio.gather(beside.retire(), *(beside.repeat(work) for work in works))
    assert failed == []
    assert {proof.state for proof in beside.found} == {"verified", "sealed"}
    await catch_up(old.database)
    assert await answers(old, day(0), day(12)) == oracle.fresh([*EVENTS, *beside.sent], day(0), day(12))
    assert (await totals(old.database))[2] == sum(len(of_day(number, EVENTS)) for number in range(4))
    await chain_is_whole(old)


class Cut(Database):
    """A database whose connection is lost after a statement has run and before its answer arrives."""

    def __init__(self, url: str, after: int) -> None:
        super().__init__(url)
        self.left = after

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Lost("cut")

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        rows = await super().rows(query, *args)
        self.count()
        return rows

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with super().transaction() as session:
            yield _CutSession(session, self)
        self.count()


class _CutSession(Session):
    def __init__(self, session: Session, cut: Cut) -> None:
        self._session, self._cut = session, cut

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        rows = await self._session.rows(query, *args)
        self._cut.count()
        return rows


async def test_a_pass_that_was_cut_anywhere_ends_as_if_it_was_not(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    """A day, and the rollups of the day before, are due; each pass is cut one statement later than the last."""
    log = Sharded(database_url, 1, database, admin)
    await database.only(database.statements.make_day, day(0).date())
    for place in count(1):
        await database.only(database.statements.make_day, day(place).date())
        events = [an_event(n, at=day(place) + n // 2 * HOUR, session=f"s{n % 2}") for n in range(3)]
        await append(database, events, clock=day(place + 1))
        if not await was_cut(database_url, place):
            break
        # Between the two passes a reader finds nothing wrong.
        assert set((await states(log, day(place - 1))).values()) <= {"sealed", "verified"}
        assert [each for each in await retire(database, place, rollup_days=8) if each.hindrance] == []
        assert await folded(admin) == oracle.rows(events)
        assert set((await states(log, day(place - 1))).values()) == {"sealed"}
        assert await admin.fetchval("select events from retired_days where day = $1", day(place).date()) == len(events)
        assert (await admin.fetch(PARTITIONS))[0][0] > day(place).date()
        stored, live, retired = await totals(database)
        assert (live, retired) == (0, stored)
        await chain_is_whole(log)
    assert place > 20


async def was_cut(url: str, place: int) -> bool:
    """Run a pass that is cut after `place` statements; return False if it ended before."""
    cut = Cut(url, place)
    with suppress(Lost):
        await retire(cut, place, rollup_days=8)
    await cut.close()
    return cut.left <= 0


async def test_rollups_past_their_retention_go_and_distinct_sessions_stay_exact(old: Sharded) -> None:
    events, ever = list(EVENTS), list(EVENTS)
    for last, numbers in ((2, (0, 1, 2, 3)), (3, ())):
        # By the clock of past(3), rollups are kept from the start of day `last` on.
        retired = await retire(old.database, 3, rollup_days=3 + RETENTION_DAYS + 1 - last)
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
    assert await retire(old.database, 3, rollup_days=8) == []
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
    assert [retired.failed for retired in await retire(log.database, 3, rollup_days=8)] == [False, True, False, False]
    hours = "select min(hour) from hourly_counts"
    assert await log.admin.fetchval(hours) == day(1)
    # An operator drops the stuck day by hand.
    await log.admin.execute(f"drop table events_{day(1):%Y%m%d}")
    assert await retire(log.database, 3, rollup_days=8) == []
    assert await log.admin.fetchval(hours) == day(1)
    assert "damaged" in (await states(log)).values()
    assert not (await conservation(log.database))[0].holds


async def test_a_day_that_came_back_is_kept_and_found(log: Sharded) -> None:
    await retire(log.database, 0)
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


@asynccontextmanager
async def sealed_day(log: Sharded) -> AsyncIterator[None]:
    """Seal the first day while a reader keeps it from being dropped; the reader is gone inside the block."""
    async with reading(log.url):
        (kept,) = await retire(log.database, 0)
        assert kept.hindrance
    yield


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_a_day_dropped_between_the_list_of_hours_and_their_reading_raises_no_alarm(
    log: Sharded, work: str
) -> None:
    hours = await list_hours(log.database, day(0), day(1))
    rows = await folded(log.admin)
    await retire(log.database, 0)
    if work == "verify":
        assert {proof.state async for proof in verify(log.database, hours)} == {"sealed"}
    else:
        assert {(each.outcome, each.rows_written) async for each in rebuild(log.database, hours)} == {(SEALED, 0)}
    assert await folded(log.admin) == rows


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_a_drop_waits_for_who_reads_the_day(log: Sharded, work: str) -> None:
    """A drop is tried after the day is held and before it is read or recounted."""
    statements = log.database.statements
    rows = await folded(log.admin)
    async with sealed_day(log), log.database.transaction() as session:
        assert (await session.only(statements.hold_day, day(0)))["held"]
        (kept,) = await retire(log.database, 0)
        assert kept.hindrance == "canceling statement due to lock timeout"
        if work == "verify":
            found = await session.rows(statements.verify_hourly, 0, 1, day(0))
            assert {row["finding"] for row in found} == {"folded", "proof"}
            assert [row for row in found if row["finding"] == "proof" and row["stored"] != row["recounted"]] == []
        else:
            assert tuple(await session.only(statements.check_log, 0, day(0))) == (True, False)
            (hour, *_) = await list_hours(log.database, day(0), day(1))
            assert hour.start == day(0)
    assert await retire(log.database, 0) == whole(0, events=EVENTS)
    assert await folded(log.admin) == rows


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_who_comes_while_a_day_is_being_dropped_finds_it_sealed(log: Sharded, work: str) -> None:
    rows = await folded(log.admin)
    async with sealed_day(log):
        (hour, *_) = await list_hours(log.database, day(0), day(1))
        dropping = await asyncpg.connect(log.url)
        await dropping.execute("begin")
        assert tuple(*await dropping.fetch(log.database.statements.drop_day, day(0).date(), past(0))) == (None, False)
        if work == "verify":
            waiting = asyncio.create_task(_state(log, hour))
        else:
            waiting = asyncio.create_task(_outcome(log, hour))
        await until_waited_for(dropping)
        await dropping.execute("commit")
        assert await waiting == "sealed"
        await dropping.close()
    assert await folded(log.admin) == rows
    assert set((await states(log)).values()) == {"sealed", "verified"}


async def _state(log: Sharded, hour: Hour) -> str:
    return (await verify_hour(log.database, hour)).state


async def _outcome(log: Sharded, hour: Hour) -> str:
    (rebuilt,) = [each async for each in rebuild(log.database, [hour])]
    assert rebuilt.rows_written == 0
    return rebuilt.outcome


async def test_an_hour_of_many_keys_and_odd_names_is_sealed_and_dropped(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    odd = ['"', "\\", "\x01\x1f\x7f", "\n", "é", "e\u0301", "😀" * 64, "'; --", "{}", "__proto__", " ", "\u2028", "%s"]
    names = odd + [f"key {n}" for n in range(1_500)]
    events = [an_event(n, at=day(0) + HOUR, session=f"s{name}", kind=name, tool=name) for n, name in enumerate(names)]
    events += [an_event(5_000, at=day(9), session='s"')]
    log = Sharded(database_url, 1, database, admin)
    await fill(log, events)
    assert await retire(database, 0) == whole(0, events=events)
    assert await folded(admin) == oracle.rows(events)
    assert await answers(log, day(0), day(12)) == oracle.fresh(events, day(0), day(12))
    assert await states(log) == {(0, day(0) + HOUR): "sealed", (0, day(9)): "verified"}


async def test_the_command_exits_1_for_a_day_that_does_not_verify_and_0_when_it_has_gone(log: Sharded) -> None:
    await log.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", day(1))
    # All of these days are due by the real clock, which the command uses.
    kept = await run(log.url, "retention")
    assert kept.code == 1
    assert kept.output.splitlines()[-2:] == [
        f"{day(1).date()}: kept: hour 00:00 of shard 0 is drifted",
        f"retention: {len(MADE) - 1} days, {len(EVENTS) - 16} events dropped, 1 days kept",
    ]
    assert "a day is kept " in kept.output + kept.errors
    verified = await run(log.url, "verify")
    assert verified.code == 1
    assert (await run(log.url, "rebuild", "--from", f"{day(1):%Y-%m-%d}", "--to", f"{day(2):%Y-%m-%d}")).code == 0
    gone = await run(log.url, "retention")
    assert (gone.code, gone.output.splitlines()[-1]) == (0, "retention: 1 days, 16 events dropped, 0 days kept")
    clean = await run(log.url, "verify")
    assert (clean.code, clean.output.splitlines()[-1].rpartition(": ")[2]) == (0, "clean")


async def step_down_to(url: str, name: str, *, force: bool = False) -> None:
    """Roll the schema back until this step is the next one to undo."""
    names = [step.name for step in list_migrations()]
    for _ in names[names.index(name) + 1 :]:
        await rollback(url, force=force)


async def test_the_step_down_before_seals_refuses_to_lose_them(log: Sharded) -> None:
    """Only seals remain of dropped days. Without seals the step loses nothing, and a migrate restores all."""
    await step_down_to(log.url, "seals")
    assert await rollback(log.url) is not None
    await migrate(log.url)
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)
    assert set((await states(log)).values()) == {"verified"}

    await retire(log.database, 0)
    left = await log.admin.fetch(SEALS)
    with pytest.raises(SchemaRefused, match="rolling back people would lose the rows of hour_seals"):
        await rollback(log.url)
    await step_down_to(log.url, "seals", force=True)
    with pytest.raises(SchemaRefused, match="rolling back seals would lose the rows of hour_seals"):
        await rollback(log.url)
    assert await log.admin.fetch(SEALS) == left
    assert (await rollback(log.url, force=True)) is not None
    await migrate(log.url)
    assert "damaged" in (await states(log)).values()
