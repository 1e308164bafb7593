"""The answer about an hour through its life, how much the service reads for it, and reports of trouble."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

import service.reports.rollups
from projections.projector import catch_up
from service.http.health import readiness
from service.http.metrics import Metrics
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from service.settings import load
from sql.database import Database
from tests.conftest import Servers
from tests.support.beginnings import filled
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import START, proofs
from tests.support.retired_days import DAYS, day, of_day, old_events, past, retire
from tests.support.sharded import Sharded, appending, sharded_log

EVENTS = old_events()
HOURS = sorted({event.timestamp.replace(minute=0, second=0, microsecond=0) for event in EVENTS})
OLD = [hour for hour in HOURS if hour < day(1)]
FAILED = "insert into hour_proofs values (0, 'hourly', 1, $1, $2, 0, 0, 0, $1)"


@pytest_asyncio.fixture(params=[1, 8])
async def old(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, request.param, filled(request.param)) as sharded:
        yield sharded


async def shown(sharded: Sharded, hour: datetime) -> dict[str, Any]:
    """Return the present answer about an hour."""
    answer = await Rollups(sharded.database, Shards(sharded.database), lambda: NOW).one(f"{hour:%Y-%m-%dT%H:%MZ}")
    return dict(json.loads(msgspec.json.encode(answer)))


def with_proof(answer: dict[str, Any], **proof: object) -> dict[str, Any]:
    return answer | {"proof": answer["proof"] | proof}


def text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


async def test_an_hour_is_answered_alike_from_rows_from_documents_and_from_its_seal(old: Sharded) -> None:
    before = {hour: await shown(old, hour) for hour in OLD}
    assert {answer["proof"]["state"] for answer in before.values()} == {"open"}
    assert sum(answer["rollup"]["total_events"] for answer in before.values()) == len(of_day(0, EVENTS))
    await proofs(old.database)
    for hour in OLD:
        answer = await shown(old, hour)
        assert answer == with_proof(before[hour], state="verified", verified_at=answer["proof"]["verified_at"])

    await retire(old.database, 0)
    sealed = {"state": "sealed", "verified_at": text_of(past(0)), "sealed_at": text_of(past(0))}
    assert {hour: await shown(old, hour) for hour in OLD} == {
        hour: with_proof(answer, **sealed) for hour, answer in before.items()
    }
    await retire(old.database, DAYS[-1] - 1, grace_days=0, rollup_days=3)
    assert await old.admin.fetchval("select count(*) from hourly_counts where hour < $1", day(1)) == 0
    assert {hour: await shown(old, hour) for hour in OLD} == {
        hour: with_proof(answer, **sealed) for hour, answer in before.items()
    }
    nothing = await shown(old, day(0) + 2 * HOUR)
    assert (nothing["rollup"]["total_events"], nothing["proof"]["state"]) == (0, "open")


async def test_a_seal_of_many_keys_is_answered_with_the_largest(old: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    await retire(old.database, DAYS[-1] - 1, grace_days=0, rollup_days=3)
    whole = await shown(old, OLD[0])
    monkeypatch.setattr(service.reports.rollups, "MOST_KEYS", 1)
    few = await shown(old, OLD[0])
    assert len(whole["rollup"]["event_counts"]) > 1
    assert few["rollup"]["event_counts"] == {"(other)": whole["rollup"]["total_events"]}


@pytest.mark.parametrize(
    "harm",
    [
        "update hour_seals set events = events + 1 where hour = {hour}",
        "delete from hour_seals where hour = {hour}",
        "update hourly_counts set events_00 = events_00 + 1 where hour = {hour}",
    ],
    ids=["its seal was changed", "its seal is gone", "its rollup was changed"],
)
async def test_an_hour_of_one_broken_shard_is_broken(old: Sharded, harm: str) -> None:
    await retire(old.database, 0)
    shard = await old.admin.fetchval("select max(shard) from hour_seals where hour = $1", OLD[1])
    await old.admin.execute(harm.format(hour=f"'{OLD[1]}'") + f" and shard = {shard}")
    await proofs(old.database)
    assert (await shown(old, OLD[1]))["proof"]["state"] == "broken"


@pytest.mark.parametrize("most_keys", [2, 5, 24, 25, None])
async def test_no_more_keys_are_read_than_are_named(
    database: Database, admin: asyncpg.Connection, most_keys: int | None
) -> None:
    kinds = 25
    events = [an_event(100 * kind + n, at=START, kind=f"kind_{kind}") for kind in range(kinds) for n in range(kind + 1)]
    await append(database, events)
    await catch_up(database)
    expected = {f"kind_{kind}": kind + 1 for kind in range(kinds)}
    if most_keys is not None and most_keys < kinds:
        named = {key: events for key, events in expected.items() if events > kinds + 1 - most_keys}
        expected = named | {"(other)": sum(expected.values()) - sum(named.values())}

    async def read() -> tuple[dict[str, int], list[dict[str, int]]]:
        rows = await database.rows(database.statements.read_hourly, 0, START, START + HOUR, most_keys)
        counted = {row["key"]: row["amount"] for row in rows if row["measure"] == "event_type"}
        return counted, [json.loads(row["key"])["event_counts"] for row in rows if row["measure"] == "document"]

    assert await read() == (expected, [])
    await proofs(database)
    # The service reads the document unless it has too many keys.
    assert await read() == (({}, [expected]) if most_keys in (kinds, None) else (expected, []))


async def told(url: str, database: Database) -> tuple[list[str], dict[str, float]]:
    """Return the reasons why the service is degraded, and its metrics about the database."""
    async with appending(url) as appender:
        answer = await readiness(database, appender, load({}))
        text = await Metrics().text(database, appender.admission)
    ready = json.loads(answer.body)
    assert (answer.status, ready["status"]) == (200, "degraded" if ready.get("degraded") else "ready")
    lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if line and not line.startswith("#")]
    return ready.get("degraded", []), {name: float(value) for name, value in lines}


async def test_trouble_is_told_by_readiness_and_metrics(
    database_url: str, database: Database, admin: asyncpg.Connection
) -> None:
    assert (await told(database_url, database))[0] == []
    # Two of the failed hours lie on the oldest day that exists; the broken hour's day does not exist any more.
    first = await admin.fetchval(
        "select min(to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD')) from pg_inherits"
        " where inhparent = 'events'::regclass"
    )
    since = datetime.combine(first, datetime.min.time(), NOW.tzinfo)
    for hour, state in ((since, "damaged"), (since + HOUR, "drifted"), (since - 24 * HOUR, "broken")):
        await admin.execute(FAILED, hour, state)
    why, metrics = await told(database_url, database)
    assert why == [f"{state}: 1 hour; make verify names them" for state in ("drifted", "damaged", "broken")]
    assert metrics["hourledger_overdue_days"] == 0
    for state in ("drifted", "damaged", "broken"):
        assert metrics[f'hourledger_failed_proofs{{state="{state}"}}'] == 1
    await admin.execute("update log_heads set horizon = $1", since + 24 * HOUR)
    why, metrics = await told(database_url, database)
    assert why[3:] == ["kept past their retention: 1 day; make retention says why"]
    assert metrics["hourledger_overdue_days"] == 1
    await admin.execute("delete from hour_proofs")
    assert (await told(database_url, database))[0] == []


async def test_a_rebuild_that_stands_still_is_told_by_readiness(
    database_url: str, database: Database, admin: asyncpg.Connection
) -> None:
    await database.only(database.statements.begin_version, "hourly")
    assert (await told(database_url, database))[0] == []
    await admin.execute("update checkpoints set begun_at = begun_at - interval '61 minutes' where version = 2")
    why, metrics = await told(database_url, database)
    assert why == ["the rebuild of version 2 has made no progress for an hour; make rebuild-projections continues it"]
    assert metrics['hourledger_projection_version{projection="hourly"}'] == 1


async def test_the_length_of_each_chain_of_seals_is_told(old: Sharded) -> None:
    await retire(old.database, 0)
    seals = await old.admin.fetch("select shard, count(*) as seals from hour_seals group by shard")
    _, metrics = await told(old.url, old.database)
    chains = {name: length for name, length in metrics.items() if name.startswith("hourledger_seals")}
    assert chains == {f'hourledger_seals{{shard="{row["shard"]}",site="default"}}': row["seals"] for row in seals}
    assert chains
