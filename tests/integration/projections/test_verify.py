"""Verify names every change made behind hourledger's back, with its class, and nothing else."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest

from projections.hours import Hour, list_hours
from projections.verify import Difference, HourProof, verify
from sql.database import Database
from tests.support.alterations import LAST, NEXT, alter, fill, undone
from tests.support.damages import ALL, DAMAGES
from tests.support.drifts import DRIFTS, Wrong
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER, start_of
from tests.support.projection import START, another_round, fold, proofs, random_events


async def test_a_whole_log_and_its_projection_are_clean(database: Database) -> None:
    assert await proofs(database) == []
    events = await fill(database)
    found = await proofs(database)
    assert [(proof.hour.start, proof.state, proof.events) for proof in found] == [
        (START, "verified", 3),
        (NEXT, "verified", 1),
        (LAST, "verified", 2),
    ]
    # An unfolded tail is not drift.
    await append(database, [event._replace(event_id="another") for event in events])
    assert {proof.state for proof in await proofs(database)} == {"verified"}


async def test_a_changed_rollup_has_drifted(
    database: Database, admin: asyncpg.Connection, subtests: pytest.Subtests
) -> None:
    await fill(database)
    for name, drift in DRIFTS.items():
        with subtests.test(name):
            async with undone(admin):
                await alter(admin, drift.script)
                found = await proofs(database)
            assert sorted(map(str, differences(found))) == sorted(map(str, drift.wrong))
            wrong_hours = {start_of(bucket, HOUR) for _, bucket, *_ in drift.wrong}
            assert {proof.hour.start: proof.state for proof in found} == {
                start: "drifted" if start in wrong_hours else "verified" for start in {START, NEXT, LAST} | wrong_hours
            }


async def test_counts_cannot_be_put_between_hours(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database)
    for moved in (timedelta(microseconds=1), -QUARTER):
        with pytest.raises(asyncpg.CheckViolationError, match="counts are of a whole hour"):
            await admin.execute("update hourly_counts set hour = hour + $1", moved)


def differences(found: list[HourProof]) -> list[Wrong]:
    return [(d.field, d.bucket, d.key, int(d.stored), int(d.recounted)) for proof in found for d in proof.differences]


async def test_a_changed_log_is_damaged_and_its_rollup_not_judged(
    database: Database, admin: asyncpg.Connection, subtests: pytest.Subtests
) -> None:
    await fill(database)
    # The hour also drifts; its damage hides that until the log is whole again.
    await alter(admin, "update hourly_counts set events_00 = 0, events_15 = 0 where hour = {start}")
    for name, damage in DAMAGES.items():
        with subtests.test(name):
            async with undone(admin):
                await alter(admin, damage.script)
                found = {proof.hour.start: proof for proof in await proofs(database)}
            assert {start: fields(proof) for start, proof in found.items() if proof.state == "damaged"} == damage.fields
            drifted = {start for start, proof in found.items() if proof.state == "drifted"}
            assert drifted == {START} - set(damage.fields)


def fields(proof: HourProof) -> frozenset[str]:
    return frozenset(difference.field for difference in proof.differences)


async def test_damage_says_what_was_appended_and_what_is_there(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database)
    await alter(admin, DAMAGES["an event was deleted"].script)
    first = (await proofs(database))[0]
    assert first.differences[:2] == [
        Difference("events", START, None, "3", "2"),
        Difference("position_sum", START, None, "6", "5"),
    ]
    assert first.events == 3


async def test_a_dropped_day_is_damage(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database)
    day = start_of(START, timedelta(days=1))
    await admin.execute(f"drop table events_{day:%Y%m%d}")
    found = {proof.hour.start: (proof.state, fields(proof)) for proof in await proofs(database)}
    gone = {start: ("damaged", ALL) for start in (START, NEXT, LAST) if start_of(start, timedelta(days=1)) == day}
    assert found == {start: ("verified", frozenset()) for start in (START, NEXT, LAST)} | gone


async def test_a_checkpoint_that_was_moved_is_drift(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database)
    await admin.execute("update checkpoints set position = position - 1")
    assert [proof.state for proof in await proofs(database)] == ["verified", "verified", "drifted"]
    # This fold counts the last event a second time.
    await fold(database)
    found = await proofs(database)
    assert ("event_counts", "page_viewed", "2", "1") in [
        (d.field, d.key, d.stored, d.recounted) for d in found[2].differences
    ]


async def test_proofs_are_kept_and_hold_until_the_hour_is_touched(
    database: Database, admin: asyncpg.Connection
) -> None:
    async def proof(hour: datetime) -> tuple[str | None, bool, int]:
        row = await database.only(database.statements.read_proof, 0, "hourly", hour)
        return row["state"], row["current"], row["events"]

    await fill(database)
    assert await proof(START) == (None, False, 3)
    await proofs(database)
    assert [await proof(hour) for hour in (START, NEXT, LAST)] == [("verified", True, n) for n in (3, 1, 2)]
    await append(database, [an_event(9, at=NEXT)])
    assert [await proof(hour) for hour in (START, NEXT)] == [("verified", True, 3), ("verified", False, 2)]
    # Verify does not judge the unfolded tail.
    await proofs(database)
    assert await proof(NEXT) == ("verified", False, 2)
    await fold(database)
    await alter(admin, DRIFTS["a count was changed"].script)
    await alter(admin, DAMAGES["a receipt was changed"].script)
    await proofs(database)
    assert [(await proof(hour))[:2] for hour in (START, NEXT, LAST)] == [
        ("drifted", True),
        ("verified", True),
        ("damaged", True),
    ]
    row = await database.only(database.statements.count_failed_proofs)
    assert tuple(row) == (1, 1, 0)


async def test_from_and_to_limit_the_hours(database: Database) -> None:
    await fill(database)
    starts = [
        [hour.start for hour in await list_hours(database, since, until)]
        for since, until in [(None, None), (NEXT, None), (None, NEXT), (START, LAST), (LAST + HOUR, None), (LAST, NEXT)]
    ]
    assert starts == [[START, NEXT, LAST], [NEXT, LAST], [START], [START, NEXT], [], []]


async def test_no_false_alarm_while_events_are_appended_folded_and_compacted(database: Database) -> None:
    events = random_events(11, 4_000, hours=3, sessions=60)
    chunks = [events[place : place + 20] for place in range(0, len(events), 20)]
    done, watched = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        for number, chunk in enumerate(chunks):
            await append(database, chunk)
            if number % 5 == 0:
                await another_round(watched)
        done.set()

    async def project() -> None:
        while not done.is_set():
            await fold(database, limit=35)
            await database.only(database.statements.compact_receipts, 0)

    async def watch() -> list[HourProof]:
        found: list[HourProof] = []
        while not done.is_set():
            hours = [Hour(0, 1, START + step * HOUR, 0) for step in range(3)]
            found += [proof async for proof in verify(database, hours)]
            watched.set()
        return found

    found, *_ = await asyncio.gather(watch(), write(), project())
    assert len({proof.events for proof in found}) > 20
    assert [proof for proof in found if proof.state != "verified"] == []
