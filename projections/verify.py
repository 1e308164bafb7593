"""Compares rollups with the raw events, and raw events with what was appended, hour by hour, and keeps the proofs.

An hour whose events are gone is compared with its seal instead.
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

# One reads while the other waits for its answer to travel; more gain nothing on two cores.
AT_A_TIME = 2


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

    state: verified; sealed (the events are gone, all is as sealed); drifted (rollup is not the recount; rebuild mends
    it); damaged (the log is not what was appended: then the rollup cannot be judged); broken (a seal does not hold).
    events, digest: as appended, by the seal for an hour whose events are gone.
    folded: events and both halves of the digest, of those that were folded and so judged.
    """

    hour: Hour
    state: str
    events: int
    digest: str
    differences: list[Difference]
    folded: tuple[int, Decimal, Decimal]


async def verify_hour(database: Database, hour: Hour, *, clock: datetime | None = None) -> HourProof:
    """Verify one hour in one snapshot, record the proof, and write the document of one that is right and over."""
    async with database.transaction() as session:
        return await verify_within(session, database, hour, clock)


async def verify_within(session: Session, database: Database, hour: Hour, clock: datetime | None) -> HourProof:
    """Verify one hour in a transaction that has done nothing yet; see verify_hour."""
    statements = database.statements
    await session.only(statements.hold_day, hour.start)
    rows = await session.rows(statements.verify_hourly, hour.shard, hour.version, hour.start)
    proof = _proof(hour, rows)
    where = hour.version, hour.start
    # First the checkpoint is locked, then the proof, as by a rebuild: or each could wait for the other.
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
    """What a shard ever stored, and where it is: stored = live + retired when nothing was lost or added."""

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
