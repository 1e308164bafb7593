"""Fresh reads of the projection `hourly`, for any range, compared with a brute-force count."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.ingest.append_queue import shard_of
from sql.database import Database
from sql.days import make_days
from sql.migrate import migrate
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold, fold_some, fresh, in_batches, proofs, random_events

DAY = 24 * HOUR
DISTINCT = """
select r.since, r.until, h.amount
from unnest($1::timestamptz[], $2::timestamptz[]) as r (since, until)
cross join lateral read_hourly(0, r.since, r.until) as h
where h.measure = 'distinct_sessions'
"""
END = datetime.max.replace(tzinfo=UTC)
COUNTED = (
    "select m, count_events(0, m, u), (select count(*) from events where timestamp >= m and timestamp < u)"
    " from unnest($1::timestamptz[]) m, unnest($2::timestamptz[]) u where m < u"
)


async def test_distinct_sessions_of_every_range(database: Database, admin: asyncpg.Connection) -> None:
    chance = random.Random(5)
    events = random_events(5, 160)
    await append(database, events[:90])
    await fold(database)
    await append(database, events[90:])
    quarters = [START + step * QUARTER for step in range(-4, 100)]
    hours = quarters[::4]
    ranges = [(since, until) for since in hours for until in hours if since < until]
    ranges += [(min(pair), max(pair)) for pair in (chance.sample(quarters, 2) for _ in range(300))]
    expected = {pair: oracle.distinct(events, *pair) for pair in ranges}
    for _ in ("with a tail", "all folded"):
        found = await admin.fetch(DISTINCT, [since for since, _ in ranges], [until for _, until in ranges])
        assert {(since, until): amount for since, until, amount in found} == expected
        await fold(database)


async def test_fresh_reads_are_the_same_wherever_stored_rows_end_and_the_tail_begins(
    database: Database, admin: asyncpg.Connection
) -> None:
    log = oracle.Log()
    for batch in in_batches(random_events(2, 120, hours=8), seed=2):
        await append(database, batch)
        log.append(batch)
    ranges = [(START, START + DAY), (START + 2 * HOUR, START + 5 * HOUR), (START + 3 * HOUR, START + 4 * HOUR)]
    expected = [oracle.fresh(log.events, since, until) for since, until in ranges]
    moments = some_moments()
    steps = 0
    while True:
        assert [await fresh(database, since, until) for since, until in ranges] == expected
        counted = await admin.fetch(COUNTED, moments, [START + n * QUARTER for n in (1, 8, 10, 20, 23)] + [END])
        assert [row[1] for row in counted] == [row[2] for row in counted]
        steps += 1
        if not await fold_some(database, 1):
            break
    assert steps > 10
    assert sum(expected[0][name] for name in expected[0] if name[0] == "event_type") == len(log.events)


def some_moments() -> list[datetime]:
    """Return borders of quarters of an hour, moments next to them, and others."""
    chance = random.Random(1)
    borders = [START + chance.randrange(36) * QUARTER for _ in range(10)]
    beside = [border + chance.choice([-1, 1]) * timedelta(microseconds=1) for border in borders]
    return [*borders, *beside, *(START + DAY * chance.random() for _ in range(20)), START - DAY, NOW + 2 * DAY]


@pytest.mark.parametrize("limit", [100, 1_000])
async def test_a_read_of_parts_of_hours_counts_their_quarters(database: Database, limit: int) -> None:
    log = oracle.Log()
    for batch in in_batches(random_events(3, 200, hours=3), seed=3):
        assert await append(database, batch) == log.append(batch)
    await fold(database, limit=limit)
    for since in range(5):
        for until in range(since + 1, 9):
            place = START + since * QUARTER, START + until * QUARTER
            assert await fresh(database, *place) == oracle.fresh(log.events, *place)


async def test_a_read_says_how_far_the_log_goes_and_how_far_behind_the_projection_is(database: Database) -> None:
    async def as_of() -> dict[str, int]:
        rows = await database.rows(database.statements.read_hourly, 0, START, START + HOUR, None)
        return {row["measure"]: row["amount"] for row in rows if row["measure"] in ("position", "lag_events")}

    assert await as_of() == {"position": 0, "lag_events": 0}
    await append(database, [an_event(1), an_event(1), an_event(2)])
    assert await as_of() == {"position": 3, "lag_events": 2}
    await fold(database)
    assert await as_of() == {"position": 3, "lag_events": 0}


async def test_distinct_sessions_add_up_across_shards(empty_database_url: str) -> None:
    shards = 8
    await migrate(empty_database_url, shards=shards)
    database = Database(empty_database_url)
    await make_days(database, RETENTION_DAYS)
    logs = [oracle.Log() for _ in range(shards)]
    for event in random_events(3, 200):
        shard = shard_of(event.session_id, shards)
        logs[shard].append([event])
        await append(database, [event], shard=shard)
        if event.session_id == "s1":
            await fold(database, shard=shard)
    found = oracle.Fresh()
    for shard, log in enumerate(logs):
        of_shard = await fresh(database, START, START + DAY, shard=shard)
        assert of_shard == oracle.fresh(log.events, START, START + DAY)
        found += of_shard
    expected = oracle.fresh([event for log in logs for event in log.events], START, START + DAY)
    assert found == expected
    assert {proof.state for proof in await proofs(database)} == {"verified"}
    await database.close()
