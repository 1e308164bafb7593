"""A log of days long past, on one shard or eight, for tests of retention. Tests pass every clock in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from projections.archive.kept_hours import KeptHours
from projections.conservation import conservation
from projections.hours import list_hours
from projections.projector import catch_up
from projections.retention import RetiredDay, retain
from projections.verify import HourProof, verify_hour
from service.ingest.event import Event
from sql.clocks import Reading
from sql.database import Database
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import MODES, fresh
from tests.support.sharded import Sharded

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
# The real clock is past the default retention too, because commands use it.
FIRST = NOW.replace(hour=0, minute=0, second=0) - 60 * DAY
# Day 9 still accepts events when all days before it are past the horizon.
DAYS = (0, 1, 2, 3, 9)
# Day 4 stays without events; tests append to day 10.
MADE = (*DAYS, 4, 10)
LONG = 1_000
PARTITIONS = """
select to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD')
from pg_inherits
where inhparent = 'events'::regclass
order by 1
"""
SEALS = "select * from hour_seals order by shard, sequence"
LINKS = """
select shard, sequence, hour, previous_hash, hash, null as kind from hour_seals
union all
select shard, sequence, null, previous_hash, hash, kind from amendments
order by 1, 2
"""


def day(number: int) -> datetime:
    """Return the start of a day of the log."""
    return FIRST + number * DAY


def past(number: int) -> datetime:
    """Return a moment when this day is past the horizon and the next day is not."""
    return day(number + RETENTION_DAYS + 1) + HOUR


def _moments(number: int) -> list[datetime]:
    start = day(number)
    return [start, start + 7 * HOUR, start + 7 * HOUR + timedelta(minutes=20), start + DAY - MICROSECOND]


def old_events(seed: int = 4, sessions: int = 6) -> list[Event]:
    """Return events on each day's first and last microsecond and between; sessions span several days."""
    chance = random.Random(seed)
    moments = [moment for number in DAYS for moment in _moments(number) for _ in range(4)]
    return [
        an_event(
            place,
            at=moment,
            session=f"s{chance.randrange(sessions)}",
            kind=chance.choice(["page_viewed", "risk_mode_changed"]),
            tool=chance.choice(["Home", "Search", None]),
            properties=chance.choice(MODES),
            user=chance.choice(["u1", "u2", "u3", None, None]),
        )
        for place, moment in enumerate(moments)
    ]


EVENTS = old_events()


async def fill(sharded: Sharded, events: Sequence[Event]) -> None:
    """Make the days, append each day's events in two appends at its end, fold, and compact all but the last receipt."""
    for number in MADE:
        await sharded.database.only(sharded.database.statements.make_day, day(number).date())
    for number in DAYS:
        today = [event for event in events if day(number) <= event.timestamp < day(number + 1)]
        for some in (today[::2], today[1::2]):
            await append_all(sharded, some, clock=day(number + 1))
    await catch_up(sharded.database)
    for shard in range(sharded.shards):
        await sharded.database.only(sharded.database.statements.compact_receipts, shard)


async def append_all(sharded: Sharded, events: Sequence[Event], *, clock: datetime) -> None:
    """Append events, each to its own shard."""
    for shard in range(sharded.shards):
        if of_shard := sharded.of_shard(shard, events):
            assert await append(sharded.database, of_shard, shard=shard, clock=clock) == {}


async def retire(
    database: Database,
    number: int,
    *,
    rollup_days: int = LONG,
    event_days: int = RETENTION_DAYS,
    grace_days: int = 2,
    patience: timedelta = timedelta(0),
    archive: Path | None = None,
) -> list[RetiredDay]:
    """Run the pass at a clock when a day is just past the horizon; return its result for each due day.

    event_days: for how long the archive keeps events; RETENTION_DAYS is for how long the log keeps rows.

    The pass accepts the clock, because tests go from day to day as they like.
    """
    kept = Retention(event_days, rollup_days, RETENTION_DAYS)
    passed = retain(
        database,
        kept,
        archive=archive,
        grace_days=grace_days,
        force=True,
        patience=patience,
        reading=reading_at(past(number)),
    )
    return [retired async for retired in passed if not retired.dropped or retired.hindrance]


def reading_at(clock: datetime, boot: str = "a machine that never stops") -> Reading:
    """Return a reading of right clocks: as much time has passed as the clocks say."""
    return Reading(boot, clock.timestamp(), clock, clock)


def whole(*numbers: int, events: Sequence[Event]) -> list[RetiredDay]:
    """Return the results of a pass that drops these days; days without events have one too."""
    return [RetiredDay(day(number).date(), len(of_day(number, events))) for number in numbers]


def of_day(number: int, events: Sequence[Event]) -> list[Event]:
    """Return the events of one day."""
    return [event for event in events if day(number) <= event.timestamp < day(number + 1)]


async def answers(sharded: Sharded, since: datetime, until: datetime) -> oracle.Fresh:
    """Return a fresh read of all shards."""
    found = oracle.Fresh()
    for shard in range(sharded.shards):
        found += await fresh(sharded.database, since, until, shard=shard)
    return found


async def people(sharded: Sharded, since: datetime, until: datetime) -> dict[str, int]:
    """Return the counts of people in a range of all shards; a single shard must count the same by edges."""
    statements = sharded.database.statements
    named = ["users", "identified"]
    shards = [*range(sharded.shards)]
    rows = await sharded.database.rows(statements.read_people, shards, [since, until], named, None)
    found = dict.fromkeys(("sessions", "users", "new_users", "identified"), 0)
    for row in rows:
        found |= {row["measure"]: found[row["measure"]] + row["amount"]} if row["measure"] in found else {}
    if sharded.shards == 1:
        by_edges = await sharded.database.rows(statements.read_trend, 0, [since, until], named, None)
        assert found == found | {row["measure"]: row["amount"] for row in by_edges if row["measure"] in found}
    return found


async def totals(database: Database) -> tuple[int, int, int]:
    """Return the events of all shards that were stored, are live, and were retired; check the sum of each shard."""
    shards = await conservation(database)
    assert [shard for shard in shards if not shard.holds] == []
    return sum(each.stored for each in shards), sum(each.live for each in shards), sum(each.retired for each in shards)


async def chain_is_whole(sharded: Sharded) -> int:
    """Assert that each shard's seals form one chain without gaps or repeats; return the number of all seals."""
    links = await sharded.admin.fetch(LINKS)
    for shard in range(sharded.shards):
        chain = [link for link in links if link["shard"] == shard]
        assert [link["sequence"] for link in chain] == list(range(1, len(chain) + 1))
        assert [link["previous_hash"] for link in chain] == [bytes(32), *(link["hash"] for link in chain)][: len(chain)]
        if all(link["hour"] for link in chain):  # no amendment gave an hour another seal
            assert len({link["hour"] for link in chain}) == len(chain)
        assert not chain or chain[-1]["hour"] is not None or chain[-1]["kind"] == "erasure"
    return len([link for link in links if link["hour"]])


async def states(
    sharded: Sharded, since: datetime | None = None, *, archive: Path | None = None
) -> dict[tuple[int, datetime], str]:
    """Verify every hour at a clock when no day is past the horizon; return the state by shard and hour."""
    hours = await list_hours(sharded.database, since, None)
    with KeptHours(archive) as kept:
        found = [await verify_hour(sharded.database, hour, clock=day(8), kept=kept) for hour in hours]
    return {(proof.hour.shard, proof.hour.start): proof.state for proof in found}


async def verified(log: Sharded) -> list[HourProof]:
    """Verify every hour, at a clock when no day is past the horizon."""
    hours = await list_hours(log.database, None, None)
    return [await verify_hour(log.database, hour, clock=day(8)) for hour in hours]
