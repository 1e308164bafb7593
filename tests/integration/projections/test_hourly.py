"""The projection `hourly`: folds, compared with a brute-force count."""

from __future__ import annotations

import json
import random
from collections import Counter

import asyncpg
import pytest

from service.ingest.event import Event
from sql.database import Database
from tests.support import oracle
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold, fold_some, folded, fresh, in_batches, proofs, random_events

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


async def test_the_oracle_counts_by_the_dimensions_of_the_database(admin: asyncpg.Connection) -> None:
    named = await admin.fetch("select dimension::text, key from hourly_keys('a', 'b', 'c')")
    assert [tuple(row) for row in named] == list(zip(oracle.DIMENSIONS, "abc", strict=True))
