"""Verifies hour by hour: rollups against raw events, and raw events against what was appended. Records the proofs.

The raw events of a kept hour are those of its file. An hour whose events are gone is compared with its seal instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

import msgspec

from projections.archive.kept_hours import KeptHour, KeptHours
from projections.hours import Hour, each
from sql.database import ONLY_ITS_DAY, REPLAN, Database, Row, Session
from sql.digest import digest_text
from sql.errors import Refused, Unreadable
from sql.hourly import BROKEN, DAMAGED, DRIFTED, PROJECTION, RIGHT, SEALED, VERIFIED

# Two, so that the server works on one hour while the other's answer is under way; more gain nothing on two cores.
AT_A_TIME = 2
# Damaged data that has no checksum is refused as text or as a number that cannot be.
CANNOT_READ = (Unreadable, Refused)
UNREADABLE = "cannot be read"
# The field of the difference that names a kept hour's file.
ARCHIVE_FILE = "archive_file"
# The state of a kept hour while the archive cannot be used. It is never recorded.
UNCHECKED = "unchecked"
# The most differences that a proof keeps. `make verify` prints all.
MOST_KEPT = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not what it should be.

    For the log, `stored` is what was appended, and `recounted` is what the log holds now.
    """

    field: str
    bucket: datetime
    key: str | None
    stored: str
    recounted: str


@dataclass(frozen=True, slots=True)
class HourProof:
    """The result of verifying one hour of one shard.

    state: verified; sealed (the rows have left the log, and everything is as it was sealed; for a kept hour, also the
    file and the recount from it); drifted (the rollup differs from the recount, and a rebuild mends it); damaged (the
    log or the file is not what was appended, so the rollup cannot be judged); broken (a seal does not hold); unchecked
    (the hour is kept, but the archive cannot be used: `why` says what hinders).
    events, digest: of what was appended; from the seal when the events are gone. kept: the raw events are those of a
    file.
    folded: number of events and both halves of the digest, of the events that were folded and so compared.
    An hour that cannot be read is damaged, and its only difference is UNREADABLE, or ARCHIVE_FILE when its file cannot.
    """

    hour: Hour
    state: str
    events: int
    digest: str
    differences: list[Difference]
    folded: tuple[int, Decimal, Decimal]
    kept: bool = False
    why: str | None = None


async def verify_hour(
    database: Database,
    hour: Hour,
    *,
    clock: datetime | None = None,
    replan: bool = False,
    kept: KeptHours | None = None,
) -> HourProof:
    """Verify one hour in one snapshot and record the proof; write the hour's document when it is right and over.

    An hour that cannot be read twice in a row is damaged, which is recorded, too: a failing disk may read a page the
    second time. replan: make new plans, because the connection may have made its plans when the log was nearly empty.
    kept: reads kept hours; without it they stay unchecked.
    """
    kept = kept or KeptHours()
    try:
        with suppress(*CANNOT_READ):
            return await _verify(database, hour, clock, REPLAN if replan else {}, kept)
        try:
            return await _verify(database, hour, clock, ONLY_ITS_DAY, kept)
        except CANNOT_READ as error:
            return await _record_lost(database, hour, clock, UNREADABLE, str(error), None)
    except OSError as error:  # of the archive
        return HourProof(hour, UNCHECKED, hour.events, "", [], (0, Decimal(0), Decimal(0)), kept=True, why=str(error))


async def _verify(
    database: Database, hour: Hour, clock: datetime | None, settings: Mapping[str, str], kept: KeptHours
) -> HourProof:
    async with database.transaction() as session:
        if settings:
            await session.configure(settings)
        await session.only(database.statements.hold_day, hour.start)
        read = await kept.load(session, hour.shard, hour.start)
        if read is None or read.wrong is None:
            return await _verify_within(session, database, hour, clock, (kept, read))
    file = None if read.file is None else read.file.file
    return await _record_lost(database, hour, clock, ARCHIVE_FILE, file, read.wrong)


async def _record_lost(
    database: Database, hour: Hour, clock: datetime | None, field: str, key: str | None, found: str | None
) -> HourProof:
    """Record that an hour is damaged, because its events cannot be read; return the proof in any case."""
    statements = database.statements
    try:
        folded = tuple(await database.only(statements.read_folded, hour.shard, hour.version, hour.start))
    except CANNOT_READ:  # nothing is known of its witnesses either
        folded = 0, Decimal(0), Decimal(0)
    lost = [Difference(field, hour.start, key, str(folded[0]), found or _text(None))]
    proof = HourProof(hour, DAMAGED, hour.events, digest_text(*folded[1:]), lost, folded)
    with suppress(*CANNOT_READ):  # the page of the proof itself may be the one
        await database.rows(statements.record_proof, *_recorded(proof, clock))
    return proof


async def _verify_within(
    session: Session, database: Database, hour: Hour, clock: datetime | None, read: tuple[KeptHours, KeptHour | None]
) -> HourProof:
    statements = database.statements
    rows = await session.rows(statements.verify_hourly, hour.shard, hour.version, hour.start)
    proof = replace(_proof(hour, rows), kept=read[1] is not None)
    if lost := await _lost(session, database, hour, rows, read):
        wrong = proof.differences if proof.state == DAMAGED else []
        proof = replace(proof, state=DAMAGED, differences=wrong + lost)
    # write_document locks the checkpoint, then record_proof the proof: the order of a rebuild, so neither deadlocks.
    if proof.state in RIGHT:
        await session.only(statements.write_document, hour.shard, hour.version, hour.start, *proof.folded, clock)
    await session.rows(statements.record_proof, *_recorded(proof, clock))
    return proof


def _recorded(proof: HourProof, clock: datetime | None) -> tuple[object, ...]:
    """Return the arguments of record_proof."""
    hour, wrong = proof.hour, proof.differences
    kept = {"found": len(wrong), "named": wrong[:MOST_KEPT]}
    differences = msgspec.json.encode(kept).decode() if wrong else None
    return hour.shard, PROJECTION, hour.version, hour.start, proof.state, *proof.folded, clock, differences


async def _lost(
    session: Session, database: Database, hour: Hour, rows: list[Row], read: tuple[KeptHours, KeptHour | None]
) -> list[Difference]:
    """Return what the witness of an hour knows, and its log, its file or its seal has no longer."""
    known = hour.witness
    if known is None:
        return []
    if (await session.only(database.statements.count_changes_since, hour.shard, hour.start, known.link))["amendments"]:
        return []  # an amendment says what went since; nothing else can tell what the witness knew without it
    kept, kept_hour = read
    # What the log or the file holds, or what was sealed. More was appended to the hour since when it is not what the
    # witness says.
    found = {row["field"]: row["recounted"] for row in rows if row["finding"] in ("proof", SEALED)}
    there = int(found["events"]), digest_text(found["digest_high"], found["digest_low"])
    if there != (known.events, known.digest):
        upto = known.position, known.at
        if kept_hour is not None:
            numbers = await kept.numbers_until(kept_hour, *upto)
            there = numbers.events, digest_text(Decimal(numbers.digest_high), Decimal(numbers.digest_low))
        elif any(row["finding"] == SEALED for row in rows):
            there = (known.events, known.digest) if there[0] > known.events else there
        else:
            row = await session.only(database.statements.read_log_until, hour.shard, hour.start, *upto)
            there = row["events"], digest_text(row["digest_high"], row["digest_low"])
    values = {"witnessed_events": (str(known.events), str(there[0])), "witnessed_digest": (known.digest, there[1])}
    at = f"{known.at:%Y-%m-%dT%H:%M:%SZ}"
    return [Difference(name, hour.start, at, *pair) for name, pair in values.items() if pair[0] != pair[1]]


async def verify(database: Database, hours: list[Hour], kept: KeptHours | None = None) -> AsyncIterator[HourProof]:
    """Verify every hour; yield the proofs in order. kept: reads kept hours; without it they stay unchecked."""
    async for _, proof in each(hours, partial(verify_hour, database, kept=kept), at_a_time=AT_A_TIME):
        yield proof


def _proof(hour: Hour, rows: list[Row]) -> HourProof:
    judged = {row["field"]: row["recounted"] for row in rows if row["finding"] in ("folded", SEALED)}
    witnessed = {row["field"]: row["stored"] for row in rows if row["finding"] in ("folded", SEALED)}
    state, wrong = judge(rows)
    return HourProof(
        hour,
        state,
        int(witnessed["events"]),
        digest_text(witnessed["digest_high"], witnessed["digest_low"]),
        [_difference(row) for row in wrong],
        (int(judged["events"]), judged["digest_high"], judged["digest_low"]),
    )


def judge(rows: list[Row]) -> tuple[str, list[Row]]:
    """Return the state of an hour by the rows of verify_hourly, and those rows that tell what is wrong."""
    damaged = [row for row in rows if row["finding"] == "proof" and row["stored"] != row["recounted"]]
    broken = [row for row in rows if row["finding"] == BROKEN]
    drifted = [row for row in rows if row["finding"] == DRIFTED]
    for state, wrong in ((DAMAGED, damaged), (BROKEN, broken), (DRIFTED, drifted)):
        if wrong:
            return state, broken + drifted if state == BROKEN else wrong
    return (SEALED if any(row["finding"] == SEALED for row in rows) else VERIFIED), []


def _difference(row: Row) -> Difference:
    return Difference(row["field"], row["bucket"], row["key"], _text(row["stored"]), _text(row["recounted"]))


def _text(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"
