"""Compares rollups with the raw events, and raw events with what was appended, hour by hour, and keeps the proofs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

import asyncpg

from projections import hourly
from projections.hours import Hour, each
from sql.database import Database, Session
from sql.digest import digest_text
from sql.statements import Statements

# One reads while the other waits for its answer to travel; more gain nothing on two cores.
AT_A_TIME = 2

VERIFIED = "verified"
DRIFTED = "drifted"
DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not what it should be; of the log, `stored` was appended and `recounted` is there."""

    field: str
    bucket: datetime
    key: str | None
    stored: str
    recounted: str


@dataclass(frozen=True, slots=True)
class HourProof:
    """What the verification of one hour of one shard found.

    state: verified; drifted (rollup is not the recount; rebuild mends it); damaged (the log is not what was appended:
    then the rollup cannot be judged). events, digest: as appended.
    """

    hour: Hour
    state: str
    events: int
    digest: str
    differences: list[Difference]


async def verify_hour(database: Database, hour: Hour) -> HourProof:
    """Verify one hour in one snapshot, and record the proof."""
    statements = database.statements
    async with database.transaction() as session:
        await session.only(statements.hold_day, hour.start)
        rows = await session.rows(statements.verify_hourly, hour.shard, hour.version, hour.start)
        return await _record(session, statements, hour, rows)


async def _record(session: Session, statements: Statements, hour: Hour, rows: list[asyncpg.Record]) -> HourProof:
    witnessed = {row["field"]: row["stored"] for row in rows if row["finding"] == "proof"}
    state, differences = _judge(rows)
    await session.rows(
        statements.record_proof,
        hour.shard,
        hourly.NAME,
        hour.start,
        state,
        int(witnessed["events"]),
        witnessed["digest_high"],
        witnessed["digest_low"],
    )
    digest = digest_text(witnessed["digest_high"], witnessed["digest_low"])
    return HourProof(hour, state, int(witnessed["events"]), digest, differences)


async def verify(database: Database, hours: list[Hour]) -> AsyncIterator[HourProof]:
    """Verify every hour; give the proofs in order."""
    async for _, proof in each(hours, partial(verify_hour, database), at_a_time=AT_A_TIME):
        yield proof


def _judge(rows: list[asyncpg.Record]) -> tuple[str, list[Difference]]:
    damaged = [row for row in rows if row["finding"] == "proof" and row["stored"] != row["recounted"]]
    if damaged:
        return DAMAGED, [_difference(row) for row in damaged]
    drifted = [row for row in rows if row["finding"] == "drifted"]
    return (DRIFTED if drifted else VERIFIED), [_difference(row) for row in drifted]


def _difference(row: asyncpg.Record) -> Difference:
    return Difference(row["field"], row["bucket"], row["key"], _text(row["stored"]), _text(row["recounted"]))


def _text(value: Decimal) -> str:
    return f"{value:f}"
