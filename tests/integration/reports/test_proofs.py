"""The proofs of a range agree with the proof of each single hour, in every state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import pytest

from projections.projector import catch_up
from service.reports.proofs import Proofs
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import START, fold, proofs
from tests.support.retired_days import DAY, DAYS, day, fill, old_events, retire
from tests.support.sharded import Sharded

EVENTS = old_events()
CHANGE_PROPERTIES = "update events set properties = '{\"x\": 1}' where hour_of(timestamp) = $1"


def text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


async def states(database: Database, since: datetime, until: datetime) -> list[str]:
    """Return the states of the shown hours, newest first; assert that each hour alone has the same answer."""
    answer = await Proofs(database, Shards(database), lambda: NOW).page(
        f"from={text_of(since)}&to={text_of(until)}".encode()
    )
    told = {proof["hour"]: proof for proof in answer["proofs"]}
    assert answer["count"] == len(told) == len(answer["proofs"])
    assert list(told) == sorted(told, reverse=True)
    shown_hours = {datetime.fromisoformat(hour) for hour in told}
    for hour in {since, until - HOUR} | shown_hours | {hour + HOUR for hour in shown_hours}:
        alone = await Rollups(database, Shards(database), lambda: NOW).one(text_of(hour))
        proof: dict[str, Any] = alone["proof"]
        shown = told.get(text_of(hour))
        if shown is None:
            assert proof["events"] == 0
            assert proof["state"] in ("open", "verified", "sealed")
        else:
            assert shown == {"hour": text_of(hour), **proof}
    return [proof["state"] for proof in told.values()]


async def test_states_of_a_log_that_retires(sharded: Sharded) -> None:
    await fill(sharded, EVENTS)
    since, until = day(0) - DAY, day(4)
    assert set(await states(sharded.database, since, until)) == {"open"}
    await proofs(sharded.database)
    assert set(await states(sharded.database, since, until)) == {"verified"}
    await retire(sharded.database, 0)
    found = await states(sharded.database, since, until)
    assert set(found) == {"sealed", "verified"}
    await retire(sharded.database, DAYS[-1] - 1, grace_days=0, rollup_days=3)
    again = await states(sharded.database, since, until)
    assert set(again) == {"sealed"}
    assert len(again) == len(found)


async def test_states_of_hours_with_something_wrong(
    database_url: str, database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(hour, at=START + hour * HOUR) for hour in range(6)])
    await catch_up(database)
    await proofs(database)
    await admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", START)
    await admin.execute(CHANGE_PROPERTIES, START + HOUR)
    await append(database, [an_event(7, at=START + 2 * HOUR)])
    await fold(database)
    await append(database, [an_event(8, at=START + 3 * HOUR)])
    # An hour whose only row is a rollup made by hand.
    await admin.execute(
        "insert into hourly_counts (shard, version, hour, dimension, key, events_00)"
        " values (0, 1, $1, 'event_type', 'x', 1)",
        START + 9 * HOUR,
    )
    await proofs(database)
    await append(database, [an_event(10, at=START + 4 * HOUR)])
    ahead = [an_event(20, at=NOW.replace(minute=0, second=0) + HOUR)]
    await append(database, ahead)
    found = await states(database, START - 2 * HOUR, NOW.replace(minute=0, second=0) + 3 * HOUR)
    assert found == ["open", "drifted", "verified", "open", "open", "verified", "damaged", "drifted"]


async def test_what_a_failed_proof_found_is_kept_in_part(
    database_url: str, database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(hour, at=START + hour * HOUR) for hour in range(2)])
    await catch_up(database)
    await admin.execute(
        "insert into hourly_counts (shard, version, hour, dimension, key, events_30)"
        " select 0, 1, $1, 'event_type', 'key ' || n, n from generate_series(1, 150) as n",
        START,
    )
    await proofs(database)
    answer = await Rollups(database, Shards(database), lambda: NOW).one(text_of(START))
    assert answer["more_differences"] == 50
    assert len(answer["differences"]) == len({each["key"] for each in answer["differences"]}) == 100
    for each in answer["differences"]:
        bucket, stored = text_of(START + HOUR / 2), each["key"].removeprefix("key ")
        told = {"shard": 0, "field": "event_counts", "bucket": bucket, "stored": stored, "recounted": "0"}
        assert each == told | {"key": each["key"]}
    # A proof of an older release has none.
    await admin.execute("update hour_proofs set differences = null")
    answer = await Rollups(database, Shards(database), lambda: NOW).one(text_of(START))
    assert (answer["differences"], answer["more_differences"]) == ([], 0)
    assert "differences" not in await Rollups(database, Shards(database), lambda: NOW).one(text_of(START + HOUR))


async def test_hours_outside_of_the_range_that_failed_are_named(
    sharded: Sharded, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = {"drifted": START, "damaged": START + HOUR, "verified": START + 2 * HOUR}
    for number in range(6):
        event = [an_event(number, at=START + number % 3 * HOUR, session=f"s{number}")]
        await append(sharded.database, event, shard=sharded.shard_of(f"s{number}"))
    await fold(sharded.database)
    await proofs(sharded.database)
    for state, hour in hours.items():
        await sharded.admin.execute("update hour_proofs set state = $2 where hour = $1", hour, state)
    found = [{"hour": text_of(hours[state]), "state": state} for state in ("damaged", "drifted")]
    for since, elsewhere in ((START + 2 * HOUR, found), (START + HOUR, found[1:]), (START, [])):
        query = f"from={text_of(since)}&to={text_of(START + 4 * HOUR)}"
        answer = await Proofs(sharded.database, Shards(sharded.database), lambda: NOW).page(query.encode())
        assert (answer["failed_elsewhere"], answer["more_failed_elsewhere"]) == (elsewhere, 0)
    monkeypatch.setattr("service.reports.proofs.MOST_ELSEWHERE", 1)
    query = f"from={text_of(START + 2 * HOUR)}&to={text_of(START + 4 * HOUR)}"
    answer = await Proofs(sharded.database, Shards(sharded.database), lambda: NOW).page(query.encode())
    assert (answer["failed_elsewhere"], answer["more_failed_elsewhere"]) == (found[:1], 1)


async def test_how_far_the_proofs_go_is_told(sharded: Sharded) -> None:
    for number in range(3):
        shard = sharded.shard_of(f"s{number}")
        await append(sharded.database, [an_event(number, at=START, session=f"s{number}")], shard=shard)
    answer = await Proofs(sharded.database, Shards(sharded.database), lambda: NOW).page(b"")
    assert len(answer["as_of"]["positions"]) == sharded.shards
    assert sum(answer["as_of"]["positions"]) == answer["as_of"]["lag_events"] == 3
    assert [(proof["hour"], proof["events"]) for proof in answer["proofs"]] == [(text_of(START), 3)]
