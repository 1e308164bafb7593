"""Compares rollups with raw events and raw events with their witnesses, hour by hour, and records the proofs.

It compares an hour whose events are gone with its seal instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from projections.hours import Hour, each
from sql.database import Database, Row, Session
from sql.digest import digest_text
from sql.hourly import BROKEN, DAMAGED, DRIFTED, PROJECTION, RIGHT, SEALED, VERIFIED

# One works while the other waits for its answer to travel; more gain nothing on two cores.
AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. For the log, `stored` is what was appended and `recounted` what the log holds."""

    field: str
    bucket: datetime
    key: str | None
    stored: str
    recounted: str


@dataclass(frozen=True, slots=True)
class HourProof:
    """The result of verifying one hour of one shard.

    state: verified; sealed (the events are gone and all is as sealed); drifted (the rollup is not the recount; rebuild
    mends it); damaged (the log is not what was appended, so that the rollup cannot be judged); broken (a seal does not
    hold). events, digest: as appended; from the seal when the events are gone.
    folded: number and both digest halves of the folded events, which are the ones judged.
    """

    hour: Hour
    state: str
    events: int
    digest: str
    differences: list[Difference]
    folded: tuple[int, Decimal, Decimal]


async def verify_hour(database: Database, hour: Hour, *, clock: datetime | None = None) -> HourProof:
    """Verify one hour in one snapshot, record the proof, and write the document if the hour is right and over."""
    async with database.transaction() as session:
        return await verify_within(session, database, hour, clock)


async def verify_within(session: Session, database: Database, hour: Hour, clock: datetime | None) -> HourProof:
    """Verify one hour in a transaction that has done nothing yet; see verify_hour."""
    statements = database.statements
    await session.only(statements.hold_day, hour.start)
    rows = await session.rows(statements.verify_hourly, hour.shard, hour.version, hour.start)
    proof = _proof(hour, rows)
    where = hour.version, hour.start
    # Lock the checkpoint first, then the proof, as a rebuild does; in another order each could wait for the other.
    if proof.state in RIGHT:
        await session.only(statements.write_document, hour.shard, *where, *proof.folded, clock)
    await session.rows(
        statements.record_proof, hour.shard, PROJECTION, *where, proof.state, *proof.folded, clock
    )  # fmt: skip
    return proof


async def verify(database: Database, hours: list[Hour]) -> AsyncIterator[HourProof]:
    """Verify every hour; give the proofs in order."""
    async for _, proof in each(hours, partial(verify_hour, database), at_a_time=AT_A_TIME):
        yield proof


@dataclass(frozen=True, slots=True)
class Conservation:
    """The number of events that a shard ever stored. stored = live + retired when none was lost or added."""

    shard: int
    stored: int
    live: int
    retired: int

    @property
    def holds(self) -> bool:
        """Whether the sum is right."""
        return self.stored == self.live + self.retired


async def conservation(database: Database) -> list[Conservation]:
    """Count each shard's events in one snapshot, against all its witnesses."""
    statements = database.statements
    counted = []
    for shard in await database.rows(statements.list_shards):
        async with database.transaction() as session:
            await session.rows(statements.hold_log)
            row = await session.only(statements.check_totals, shard["shard"])
        counted.append(Conservation(shard["shard"], row["stored"], row["live"], row["retired"]))
    return counted


def _proof(hour: Hour, rows: list[Row]) -> HourProof:
    judged = {row["field"]: row["recounted"] for row in rows if row["finding"] in ("folded", "sealed")}
    witnessed = {row["field"]: row["stored"] for row in rows if row["finding"] in ("folded", "sealed")}
    state, wrong = _judge(rows)
    return HourProof(
        hour,
        state,
        int(witnessed["events"]),
        digest_text(witnessed["digest_high"], witnessed["digest_low"]),
        [_difference(row) for row in wrong],
        (int(judged["events"]), judged["digest_high"], judged["digest_low"]),
    )


def _judge(rows: list[Row]) -> tuple[str, list[Row]]:
    damaged = [row for row in rows if row["finding"] == "proof" and row["stored"] != row["recounted"]]
    broken = [row for row in rows if row["finding"] == "broken"]
    drifted = [row for row in rows if row["finding"] == "drifted"]
    for state, wrong in ((DAMAGED, damaged), (BROKEN, broken), (DRIFTED, drifted)):
        if wrong:
            return state, broken + drifted if state == BROKEN else wrong
    return (SEALED if any(row["finding"] == "sealed" for row in rows) else VERIFIED), []


def _difference(row: Row) -> Difference:
    return Difference(row["field"], row["bucket"], row["key"], _text(row["stored"]), _text(row["recounted"]))


def _text(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"
