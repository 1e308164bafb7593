"""A rebuild of everything as the next version: readers notice nothing, wherever the rebuild is interrupted."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

import asyncpg
import pytest
import pytest_asyncio

from projections import versions
from projections.due_hours import verify_due
from projections.hours import Hour, list_hours, live_versions
from projections.projector import catch_up, step, tidy
from projections.rebuild import rebuild
from projections.retention import retain
from projections.verify import HourProof, verify, verify_hour
from projections.versions import NotSwitched, drop_old, end_abandoned, kept, list_versions, roll_back
from service.ingest.appender import shard_of
from service.ingest.event import Event
from sql.database import Database, Session
from sql.errors import DatabaseError, Lost
from sql.hourly import COMPLETE, DAMAGED, FILLING, PROJECTION, PROVING, RIGHT, SEALED, VERIFIED
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import an_event, append, until_waited_for
from tests.support.oracle import HOUR, start_of
from tests.support.projection import (
    COUNTS,
    EDGES,
    MEMBERS,
    START,
    by_edge,
    by_quarter,
    fresh,
    in_batches,
    in_kinds,
    random_events,
)

MORE_SHARDS = """
insert into log_heads (shard) select generate_series(1, 7);
insert into shard_totals (shard) select generate_series(1, 7);
insert into checkpoints (shard, projection, version) select generate_series(1, 7), 'hourly', 1;
"""
TABLES = ("hourly_counts", "hourly_members", "hourly_edges", "hourly_documents", "hourly_fills", "hour_proofs")
OF = "{} where shard = $1 and version = $2"
NUMBER = "select count(*) from {} where version = $1"
COUNT_NOTHING = """
update hourly_counts set events_00 = 0, events_15 = 0, events_30 = 0, events_45 = 0 where version = 2 and hour = $1
"""
HOURS = 30
REBUILDS = 2
UNTIL = START + HOURS * HOUR
A_DAY_LATER = timedelta(hours=25)


@dataclass
class Log:
    """A log in one shard or eight, and the events that were acked."""

    database: Database
    admin: asyncpg.Connection
    shards: int
    acked: dict[str, Event] = field(default_factory=dict)

    async def append(self, events: list[Event]) -> None:
        for shard in range(self.shards):
            if some := [event for event in events if shard_of(event.session_id, self.shards) == shard]:
                await append(self.database, some, shard=shard)
                self.acked |= {event.event_id: event for event in some}

    async def fill(self, seed: int, count: int = 120, *, hours: int = 5) -> None:
        """Append random events in four parts, compact receipts after each part, and fold the first two parts."""
        events = [
            event._replace(event_id=f"{seed}_{event.event_id}") for event in random_events(seed, count, hours=hours)
        ]
        for place in range(0, count, count // 4):
            await self.append(events[place : place + count // 4])
            await tidy(self.database, RETENTION_DAYS)
            if place < count // 2:
                await step(self.database)

    def of_shard(self, shard: int) -> list[Event]:
        return [event for event in self.acked.values() if shard_of(event.session_id, self.shards) == shard]

    async def read(self, since: datetime = START, until: datetime = UNTIL) -> oracle.Fresh:
        """Return a fresh read of all shards."""
        found = [await fresh(self.database, since, until, shard=shard) for shard in range(self.shards)]
        return sum(found, oracle.Fresh())

    def expected(self) -> oracle.Fresh:
        whole = [oracle.fresh(self.of_shard(shard), START, UNTIL) for shard in range(self.shards)]
        return sum(whole, oracle.Fresh())

    async def rows(self, version: int, shard: int) -> oracle.Rows:
        """Return the stored rows of a version."""
        counts, members, edges = [
            await self.admin.fetch(OF.format(query), shard, version) for query in (COUNTS, MEMBERS, EDGES)
        ]
        return oracle.Rows(by_quarter(counts), in_kinds(members), +by_edge(edges))

    async def is_right(self, *of: int) -> None:
        """Fold all; assert that the rows of these versions are the oracle's."""
        await catch_up(self.database)
        for shard in range(self.shards):
            for version in of:
                assert await self.rows(version, shard) == oracle.rows(self.of_shard(shard))

    async def left(self, version: int) -> dict[str, int]:
        """Return how many rows of a version each table has, without the tables that have none."""
        numbers = {table: await self.admin.fetchval(NUMBER.format(table), version) for table in TABLES}
        return {table: number for table, number in numbers.items() if number}


@pytest_asyncio.fixture(params=[1, 8], ids=["one shard", "eight shards"])
async def log(request: pytest.FixtureRequest, database: Database, admin: asyncpg.Connection) -> AsyncIterator[Log]:
    if request.param > 1:
        await admin.execute(MORE_SHARDS)
    yield Log(database, admin, request.param)


@pytest_asyncio.fixture
async def single(database: Database, admin: asyncpg.Connection) -> Log:
    return Log(database, admin, 1)


async def filled(database: Database) -> int:
    """Begin a version, or continue one, and fill it; return its number."""
    version = await versions.begin(database)
    async for _ in versions.fill(database, version):
        pass
    return version


async def proven(database: Database) -> tuple[int, list[HourProof]]:
    version = await filled(database)
    return version, [proof async for proof in versions.prove(database, version)]


async def rebuild_all(database: Database) -> list[HourProof]:
    version, proofs = await proven(database)
    await versions.switch(database, version, proofs)
    return proofs


async def live(database: Database) -> int:
    (version,) = set((await live_versions(database)).values())
    return version


async def verified(database: Database) -> Counter[str]:
    """Verify every hour; return the number of hours in each state."""
    return Counter([proof.state async for proof in verify(database, await list_hours(database, None, None))])


# While readers, writers and projectors work


@dataclass
class Load:
    """Jobs that run beside rebuilds until the rebuilds are done and all events are appended."""

    log: Log
    events: list[Event]
    rebuilds: int = 0
    reads: int = 0

    @property
    def is_over(self) -> bool:
        return self.rebuilds >= REBUILDS and len(self.log.acked) >= len(self.events)

    async def write(self) -> None:
        for batch in in_batches(self.events, seed=1):
            await self.log.append(list(batch))

    async def project(self) -> None:
        while not self.is_over:
            await step(self.log.database, limit=25)
            await tidy(self.log.database, RETENTION_DAYS)

    async def read(self) -> None:
        """Read over and over; assert that no acked event is missing, and that no number falls or is too great."""
        most = oracle.fresh([*self.log.acked.values(), *self.events], START, UNTIL)
        seen = oracle.Fresh()
        while not self.is_over:
            least = oracle.fresh(self.log.acked.values(), START, UNTIL) | seen
            seen = await self.log.read()
            assert least - seen == oracle.Fresh()
            assert seen - most == oracle.Fresh()
            self.reads += 1

    async def rebuild(self) -> None:
        while not self.is_over:
            proofs = await rebuild_all(self.log.database)
            assert {proof.state for proof in proofs} == {VERIFIED}
            self.rebuilds += 1


async def test_readers_and_writers_notice_nothing_of_rebuilds(log: Log) -> None:
    await log.fill(1)
    load = Load(log, random_events(2, 500, hours=5))
    await asyncio.gather(load.write(), load.project(), load.read(), load.rebuild())
    rebuilds = load.rebuilds
    assert load.reads > 10
    former, newest = await kept(log.database), await live(log.database)
    assert [*former, newest] == [rebuilds, rebuilds + 1]
    assert await log.read() == log.expected()
    await log.is_right(*former, newest)
    assert set(await verified(log.database)) == {VERIFIED}

    assert await roll_back(log.database) == (newest, former[0])
    assert await log.read() == log.expected()
    assert await roll_back(log.database) == (former[0], newest)
    assert await drop_old(log.database) == former
    assert await log.left(former[0]) == {}
    await log.is_right(newest)
    with pytest.raises(NotSwitched, match="there is no other version to go back to"):
        await roll_back(log.database)


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


async def fill_some(log: Log, chance: random.Random) -> None:
    version = await versions.begin(log.database)
    most = chance.randrange(6)
    async for _ in versions.fill(log.database, version):
        most -= 1
        if most < 0:
            break


async def prove_some(log: Log, chance: random.Random) -> None:
    version = await filled(log.database)
    async for _ in versions.prove(log.database, version):
        if chance.random() < 0.3:
            break


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_done_in_whatever_order_reads_are_right(log: Log, seed: int) -> None:
    chance = random.Random(seed)
    database = log.database
    events = iter(random_events(seed, 400, hours=5))
    later = datetime.now(UTC) + A_DAY_LATER
    deeds: list[Callable[[], Awaitable[object]]] = [
        *[lambda: log.append(list(islice(events, 12)))] * 4,
        *[lambda: step(database, limit=20)] * 3,
        *[lambda: tidy(database, RETENTION_DAYS)] * 2,
        lambda: fill_some(log, chance),
        lambda: prove_some(log, chance),
        lambda: rebuild_all(database),
        lambda: roll_back(database),
        lambda: drop_old(database),
        lambda: end_abandoned(database, clock=later),
        lambda: verify_due(database, clock=later),
    ]
    for _ in range(40):
        with suppress(NotSwitched):  # a rollback may have no version to go back to
            await chance.choice(deeds)()
        assert await log.read() == log.expected()
    await log.is_right(await live(database), *await kept(database))
    assert set(await verified(database)) == {VERIFIED}


# Hours that cannot be recounted


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


async def seal_first_day(log: Log) -> None:
    """Retire the day of START and no later day."""
    days = [day async for day in retain(log.database, 2, 90)]
    assert [(day.hindrance, day.events > 0) for day in days if day.events] == [(None, True)]


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
    await single.database.only(statements.advance_horizon, 0, 2, None)
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


# Interruptions


@dataclass
class Cut:
    """Ends a rebuild at statement number `left`, counted from 1: before it, or after it if `after`."""

    left: int
    after: bool

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for kind in (Database, Session):
            monkeypatch.setattr(kind, "rows", self._counted(kind.rows))

    def _counted(self, rows: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def counted(itself: object, query: str, *arguments: object) -> object:
            self.left -= 1
            if self.left <= 0 and not self.after:
                raise Lost("cut")
            found = await rows(itself, query, *arguments)
            if self.left <= 0:
                raise Lost("cut")
            return found

        return counted


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_rebuild_that_is_cut_at_any_statement_goes_on(single: Log, *, after: bool) -> None:
    await single.fill(14, 40, hours=2)
    place = 0
    while True:
        place += 1
        with pytest.MonkeyPatch.context() as patch:
            Cut(place, after).install(patch)
            try:
                await rebuild_all(single.database)
                break
            except Lost:
                pass
        # Readers still see every event, and the next rebuild ends right.
        assert await single.read() == single.expected()
        await single.append([an_event(place, at=START + place * timedelta(minutes=1), session=f"late_{place % 7}")])
        await rebuild_all(single.database)
        await single.is_right(await live(single.database))
        if place % 2:
            await roll_back(single.database)
    assert place > 20
    await drop_old(single.database)
    stages = [(row["live"], row["stage"]) for row in await list_versions(single.database)]
    assert stages == [(True, "complete")]
    numbers = await single.admin.fetch("select distinct version from hourly_counts")
    assert [row["version"] for row in numbers] == [await live(single.database)]


async def test_an_interrupted_rebuild_does_not_fill_hours_again(log: Log) -> None:
    await log.fill(15)
    version = await versions.begin(log.database)
    hours = await list_hours(log.database, None, None)
    async for _ in versions.fill(log.database, version):
        break
    again = [hour async for hour in versions.fill(log.database, await versions.begin(log.database))]
    # An hour that was under way was either finished or rolled back.
    assert len(hours) - 2 <= len(again) < len(hours)
    assert [hour async for hour in versions.fill(log.database, version)] == []
    await rebuild_all(log.database)
    assert await live(log.database) == version
    await log.is_right(1, 2)


async def test_two_rebuilds_at_once_both_end_right(log: Log, database_url: str) -> None:
    await log.fill(16)
    other = Database(database_url)
    try:
        found = await asyncio.gather(rebuild_all(log.database), rebuild_all(other))
    finally:
        await other.close()
    assert {proof.state for proofs in found for proof in proofs} == {VERIFIED}
    assert await log.read() == log.expected()
    await log.is_right(await live(log.database), *await kept(log.database))
    assert {row["stage"] for row in await list_versions(log.database)} == {COMPLETE}


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


async def test_what_an_interrupted_drop_left_is_removed_later(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    await log.fill(22)
    await rebuild_all(log.database)
    monkeypatch.setattr(versions, "ROWS_AT_ONCE", 5)
    with pytest.MonkeyPatch.context() as patch:
        Cut(5, after=True).install(patch)
        with pytest.raises(Lost):
            await drop_old(log.database)
    left = await log.left(1)
    assert left["hourly_members"] > 0
    with pytest.raises(NotSwitched):
        await roll_back(log.database)
    assert await end_abandoned(log.database) == []
    assert await log.left(1) == {}
    await log.is_right(2)
    assert await end_abandoned(log.database) == []


# Locks


async def test_a_version_begins_where_the_live_one_stands_after_the_fold_under_way(
    single: Log, database_url: str
) -> None:
    """Receipts that are compacted meanwhile are receipts that the version does not need."""
    await single.fill(23)
    other = Database(database_url)
    folding = await asyncpg.connect(database_url)
    try:
        transaction = folding.transaction()
        await transaction.start()
        ((after, upto),) = await folding.fetch(single.database.statements.fold_hourly, 0, 1, 50_000)
        assert after < upto
        beginning = asyncio.create_task(versions.begin(other))
        await until_waited_for(folding)
        await single.database.only(single.database.statements.compact_receipts, 0)
        await transaction.commit()
        version = await beginning
        await single.database.only(single.database.statements.compact_receipts, 0)
    finally:
        await folding.close()
        await other.close()
    rows = await single.database.rows(single.database.statements.list_checkpoints, PROJECTION)
    assert {(row["version"], row["position"]) for row in rows} == {(1, upto), (version, upto)}
    await rebuild_all(single.database)
    await single.is_right(1, version)


async def test_a_second_rebuild_does_not_wait_for_an_hour_that_is_filled_nor_keep_the_log_from_being_folded(
    single: Log, database_url: str
) -> None:
    await single.fill(24)
    version = await versions.begin(single.database)
    assert await single.database.rows(single.database.statements.fold_hourly, 0, version, 50_000) == []
    filling = await asyncpg.connect(database_url)
    try:
        async with filling.transaction():
            await filling.fetch(single.database.statements.fill_hourly, 0, version, START, 1)
            assert await asyncio.wait_for(versions.begin(single.database), 5) == version
            assert await catch_up(single.database) > 0
    finally:
        await filling.close()
    await rebuild_all(single.database)
    await single.is_right(1, version)


@dataclass
class HotHour:
    """An hour that several writers append to while it is folded and rebuilt."""

    log: Log
    hour: Hour = field(default_factory=lambda: Hour(0, 1, START, 0))
    offered: int = 0
    is_over: bool = False

    async def write(self, writer: int) -> None:
        while not self.is_over:
            numbers = range(self.offered, self.offered + 300)
            self.offered += 300
            moments = [START + number * timedelta(milliseconds=20) for number in numbers]
            await self.log.append(
                [
                    an_event(number, at=moment, session=f"s{writer}_{number % 50}")
                    for number, moment in zip(numbers, moments, strict=True)
                ]
            )

    async def project(self) -> None:
        while not self.is_over:
            await step(self.log.database)
            await tidy(self.log.database, RETENTION_DAYS)

    async def rebuild(self) -> None:
        """Rebuild the hour over and over until it is large."""
        while self.offered < 10_000:
            outcomes = [hour.outcome async for hour in rebuild(self.log.database, [self.hour])]
            assert outcomes == ["rebuilt"]
        self.is_over = True


async def test_retention_does_not_wait_for_an_hour_that_is_filled(single: Log, database_url: str) -> None:
    await single.fill(25, hours=HOURS)
    await catch_up(single.database)
    version = await versions.begin(single.database)
    filling = await asyncpg.connect(database_url)
    try:
        async with filling.transaction():
            await filling.fetch(single.database.statements.fill_hourly, 0, version, START, 1)
            days = [day async for day in retain(single.database, 2, 2)]
            assert [day.failed for day in days if day.events] == [False]
            assert None not in [day.hindrance for day in days if day.events]
    finally:
        await filling.close()
    await rebuild_all(single.database)
    await seal_first_day(single)
    await single.is_right(1, version)


async def test_a_rebuild_of_a_hot_hour_at_full_load_ends(single: Log) -> None:
    hot = HotHour(single)
    async with asyncio.timeout(60):
        await asyncio.gather(hot.write(0), hot.write(1), hot.project(), hot.rebuild())
    await catch_up(single.database)
    assert (await single.rows(1, 0)).counts == oracle.rows(single.acked.values()).counts
    assert await verified(single.database) == {VERIFIED: 1}


# Plans


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
