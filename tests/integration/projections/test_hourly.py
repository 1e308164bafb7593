"""The projection `hourly`: folds and fresh reads, compared with a brute-force count."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.ingest.appender import shard_of
from service.ingest.event import Event
from sql.database import Database
from sql.days import make_days
from sql.hourly import ROLLUP_FIELDS
from sql.migrate import migrate
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold, folded, fresh, in_batches, proofs, random_events

DAY = 24 * HOUR
COUNT_AND_SUM = """
select
    (select count(*) from events),
    (
        select coalesce(sum(events_00 + events_15 + events_30 + events_45), 0)::bigint
        from hourly_counts
        where dimension = 'event_type'
    )
    + (select coalesce(sum(events), 0)::bigint from receipts where last_position > (select position from checkpoints))
"""
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


@pytest.mark.parametrize("limit", [1, 13, 1_000])
async def test_folding_counts_what_a_brute_force_count_does(
    database: Database, admin: asyncpg.Connection, limit: int
) -> None:
    log = oracle.Log()
    for batch in in_batches(random_events(limit, 200), seed=limit):
        assert await append(database, batch) == log.append(batch)
        await fold(database, limit=limit)
        (row,) = await admin.fetch(COUNT_AND_SUM)
        assert tuple(row) == (len(log.events), len(log.events))
    while await fold_some(database, limit):
        pass
    assert await folded(admin) == oracle.rows(log.events)


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
        counted = await admin.fetch(COUNTED, moments, [START + 2 * HOUR, START + 5 * HOUR, END])
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
            found, expected = await fresh(database, *place), oracle.fresh(log.events, *place)
            # A read gives sessions only for whole hours and for the range.
            assert without_sessions(found) == without_sessions(expected)
            assert found["distinct_sessions", None, None] == expected["distinct_sessions", None, None]


def without_sessions(read: oracle.Fresh) -> oracle.Fresh:
    return oracle.Fresh({name: n for name, n in read.items() if name[0] != "sessions"})


async def fold_some(database: Database, limit: int) -> bool:
    after, upto = await fold(database, limit=limit) or (0, 0)
    return after != upto


async def test_a_read_says_how_far_the_log_goes_and_how_far_behind_the_projection_is(database: Database) -> None:
    async def as_of() -> dict[str, int]:
        rows = await database.rows(database.statements.read_hourly, 0, START, START + HOUR, None)
        return {row["measure"]: row["amount"] for row in rows if row["measure"] in ("position", "lag_events")}

    assert await as_of() == {"position": 0, "lag_events": 0}
    await append(database, [an_event(1), an_event(1), an_event(2)])
    assert await as_of() == {"position": 3, "lag_events": 2}
    await fold(database)
    assert await as_of() == {"position": 3, "lag_events": 0}


async def test_a_late_event_between_two_active_quarters_moves_edges(
    database: Database, admin: asyncpg.Connection
) -> None:
    quarters = [START + step * QUARTER for step in (0, 8, 4, 5, 12, 4)]
    events = [an_event(number, at=at) for number, at in enumerate(quarters)]
    for number, event in enumerate(events, start=1):
        await append(database, [event])
        await fold(database)
        assert await folded(admin) == oracle.rows(events[:number])


# Values of risk_mode as sent, and the key that each counts toward by the contract.
RISK_MODES = {
    '"high"': "high",
    '"(other)"': "(other)",
    '" "': " ",
    '"__proto__"': "__proto__",
    r'"\u0001\"\\"': '\1"\\',
    f'"{"x" * 128}"': "x" * 128,
    f'"{"😀" * 128}"': "😀" * 128,
    f'"{"x" * 129}"': "(other)",
    f'"{"😀" * 129}"': "(other)",
    f'"{"x" * 12_288}"': "(other)",
    '""': "(other)",
    "null": "(other)",
    "3": "(other)",
    "1e308": "(other)",
    "true": "(other)",
    '["high"]': "(other)",
    '{"high": 1}': "(other)",
    '1, "risk_mode": "last"': "last",
}


async def test_odd_risk_modes_are_counted_and_stop_nothing(database: Database, admin: asyncpg.Connection) -> None:
    events = [
        an_event(number, kind="risk_mode_changed", properties=f'{{"risk_mode": {value}}}')
        for number, value in enumerate(RISK_MODES)
    ]
    elsewhere = [
        an_event(100, kind="risk_mode", properties='{"risk_mode": "no change"}'),
        an_event(101, kind="risk_mode_changed", properties='{"Risk_mode": "another name"}'),
        an_event(102, kind="risk_mode_changed", properties="{}"),
        an_event(103, kind="risk_mode_changed"),
    ]
    await append(database, [*events, *elsewhere])
    await fold(database)
    rows = await folded(admin)
    assert Counter({key: n for (_, kind, key), n in rows.counts.items() if kind == "risk_mode"}) == Counter(
        RISK_MODES.values()
    )
    assert rows == oracle.rows([*events, *elsewhere])


def wide(seed: int, length: int) -> str:
    """Return a text of four-byte characters that does not compress."""
    chance = random.Random(seed)
    return "".join(chr(chance.randrange(0x10000, 0x110000)) for _ in range(length))


async def test_the_longest_and_oddest_names_are_counted_and_stop_nothing(
    database: Database, admin: asyncpg.Connection
) -> None:
    odd = ["(other)", "__proto__", "null", " ", "é", "e\u0301", "\n", "\ufeff", "'; --", "%s", "\\", "{}", "A", "a"]
    events = [an_event(n, kind=name, tool=name, session=name) for n, name in enumerate(odd)]
    properties = json.dumps({"risk_mode": wide(4, 128)}, ensure_ascii=False)
    events += [
        Event(wide(n, 128), wide(2, 256), wide(3, 256), kind, wide(4, 128), wide(5, 128), properties, True, NOW)
        for n, kind in enumerate((wide(6, 128), "risk_mode_changed"))
    ]
    assert await append(database, events) == {}
    await fold(database)
    assert await folded(admin) == oracle.rows(events)
    hour = oracle.start_of(NOW, HOUR)
    assert await fresh(database, hour, hour + HOUR) == oracle.fresh(events, hour, hour + HOUR)
    assert [proof.state for proof in await proofs(database)] == ["verified"]


async def test_one_projector_folds_while_another_holds_the_checkpoint_and_a_rollback_changes_nothing(
    database: Database, admin: asyncpg.Connection
) -> None:
    events = random_events(8, 60)
    await append(database, events)
    other = admin.transaction()
    await other.start()
    row = await admin.fetchrow(database.statements.fold_hourly, 0, 1, 50_000)
    assert row is not None
    assert tuple(row) == (0, len(events))
    assert await fold(database) is None
    await other.rollback()
    assert await folded(admin) == oracle.rows([])
    assert await fold(database) == (0, len(events))
    assert await fold(database) == (len(events), len(events))
    log = oracle.Log()
    log.append(events)
    assert await folded(admin) == oracle.rows(log.events)


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


async def test_what_is_counted_by_is_the_same_in_the_database_the_service_and_the_oracle(
    admin: asyncpg.Connection,
) -> None:
    labels = await admin.fetchval("select enum_range(null::hourly_dimension)::text[]")
    assert tuple(labels) == tuple(ROLLUP_FIELDS) == oracle.DIMENSIONS
    named = await admin.fetch("select dimension::text, key from hourly_keys('a', 'b', 'c')")
    assert [tuple(row) for row in named] == list(zip(labels, "abc", strict=True))
