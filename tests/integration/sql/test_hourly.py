"""The words of sql/hourly.py equal the database's enums, constraints and functions."""

from __future__ import annotations

import re

import asyncpg
import msgspec

from sql.database import Database
from sql.hourly import (
    COMPLETE,
    DIMENSIONS,
    FAILED,
    FILLING,
    MEASURES,
    METRICS,
    OPEN,
    OTHER,
    PROJECTION,
    PROVING,
    RIGHT,
    ROLLUP_FIELDS,
    STATES,
)
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import START, fold

CONSTRAINT = "select pg_get_constraintdef(oid) from pg_constraint where conname = $1"
KEYS = "select k.dimension::text, k.key from hourly_keys('e', 't', 'r') as k"


async def allowed(admin: asyncpg.Connection, constraint: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", await admin.fetchval(CONSTRAINT, constraint)))


async def test_the_projection_has_its_name(admin: asyncpg.Connection) -> None:
    assert await admin.fetchval("select array_agg(projection::text) from projections") == [PROJECTION]


async def test_a_version_goes_through_these_stages(admin: asyncpg.Connection) -> None:
    assert await allowed(admin, "a version is filling, proving or complete") == {FILLING, PROVING, COMPLETE}


async def test_a_proof_has_one_of_these_states(admin: asyncpg.Connection) -> None:
    assert tuple(await admin.fetchval("select proof_states()")) == STATES
    assert tuple(await admin.fetchval("select failed_states()")) == FAILED == STATES[: len(FAILED)]
    assert {*FAILED, OPEN, *RIGHT} == set(STATES)
    recorded = await allowed(admin, "a proof is verified, sealed, drifted, damaged or broken")
    assert recorded == {*FAILED, *RIGHT}


async def test_failed_proofs_are_counted_by_state(database: Database) -> None:
    counted = await database.only(database.statements.count_failed_proofs)
    assert set(counted.keys()) == set(FAILED)


async def test_a_rollup_has_a_field_for_each_dimension(database: Database, admin: asyncpg.Connection) -> None:
    labels = await admin.fetchval("select enum_range(null::hourly_dimension)::text[]")
    assert labels == [*ROLLUP_FIELDS]
    event = an_event(0, at=START, kind="risk_mode_changed", tool="t", properties='{"risk_mode": "r"}')
    await append(database, [event])
    await fold(database)
    rollup = await admin.fetchval("select document from hourly_rollup(0, 1, $1)", START)
    counts = {name: value for name, value in msgspec.json.decode(rollup).items() if isinstance(value, dict)}
    keys = ("risk_mode_changed", "t", "r")
    assert counts == {field: {key: 1} for field, key in zip(ROLLUP_FIELDS.values(), keys, strict=True)}
    await admin.execute("update hourly_counts set events_00 = events_00 + 1")
    drift = await admin.fetch("select field from hourly_drift(0, 1, $1)", START)
    assert {row["field"] for row in drift} == set(ROLLUP_FIELDS.values())


async def test_an_event_has_a_key_in_each_dimension_of_the_rollups(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(KEYS)
    assert {row["dimension"]: row["key"] for row in rows} == {"event_type": "e", "tool_name": "t", "risk_mode": "r"}
    assert {row["dimension"] for row in rows} == set(ROLLUP_FIELDS) < set(DIMENSIONS)
    assert await admin.fetchval("select named_key('a', '{}')") == OTHER


async def test_each_kind_of_member_has_its_measure(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        "select kind::text, hourly_measure(kind) from unnest(enum_range(null::hourly_member)) as kind"
    )
    assert [tuple(row) for row in rows] == [*MEASURES.items()]


async def test_metrics_are_made_of_what_a_trend_measures(database: Database, admin: asyncpg.Connection) -> None:
    await append(database, [an_event(0, at=START, user="u", tool="t")])
    # Rollups always count tool uses.
    named = sorted({name for names in METRICS.values() for name in names} - {"tool_uses"})
    rows = await database.rows(database.statements.read_trend, 0, [START, START + HOUR], named, None)
    measured = {row["measure"] for row in rows if row["bucket"] is not None}
    assert measured == {"event_type", "tool_name", "new_users", *MEASURES.values()}
    assert {*named, "new_users"} <= measured
