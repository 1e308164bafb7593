"""Verify and rebuild while events arrive, and with one flipped bit in each value that they check."""

from __future__ import annotations

import asyncio
import os
import random
from datetime import timedelta

import asyncpg
import pytest

from projections.hours import Hour, list_hours
from projections.projector import step
from projections.rebuild import REBUILT, RebuiltHour, rebuild_hour
from projections.verify import HourProof, verify, verify_hour
from tests.support.alterations import undone
from tests.support.damages import DIGEST
from tests.support.log import an_event, append, until_waited_for
from tests.support.oracle import HOUR, start_of
from tests.support.projection import START, in_batches, proofs, random_events
from tests.support.sharded import Sharded

SOME = [
    an_event(
        n,
        at=START + n * timedelta(minutes=7),
        session=f"s{n % 5}",
        kind="risk_mode_changed",
        properties=f'{{"risk_mode": "mode {n % 3}", "n": {n}}}',
    )._replace(user_id=f"user {n}", action="open")
    for n in range(40)
]
TEXTS = ("event_id", "session_id", "user_id", "event_type", "tool_name", "action")
FLIP_TEXT = "{0} = chr(ascii({0}) # 1) || substr({0}, 2)"
FLIP_NUMBER = "{0} = ({0}::bigint # 1)"
# Flips the seventh bit, because no count becomes zero without it.
FLIP_WITNESS = "{0} = {0} + sign({0}) * (64 - 128 * mod(div(abs({0}), 64), 2))"
# For each column of an event: the flip, and the fields that verify must name.
OF_EVENT = {name: (FLIP_TEXT.format(name), DIGEST) for name in TEXTS} | {
    "properties": ("properties = translate(properties::text, '0123456789', '1032547698')::jsonb", DIGEST),
    "demo_mode": ("demo_mode = not demo_mode", DIGEST),
    "timestamp": ("timestamp = timestamp + interval '1 microsecond'", DIGEST),
    "position": ("position = position # 1", frozenset({"position_sum"})),
    "shard": ("shard = shard # 1", frozenset({"events", "position_sum", *DIGEST})),
}
FLIP = "update {} set {} where ctid = $1::text::tid"
FLIP_EVENT = "update events set {} where event_id = $1"
WITNESSES = "select shard, hour, ctid::text from {}"
ROWS = "select shard, hour_of({}) as hour, ctid::text from {} where true {}"
WITNESSED = ("events", "position_sum", "digest_high", "digest_low")
ANOTHER_PREVIOUS = "previous = bucket - interval '15 minutes' - interval '1 microsecond'"
ONE_MOVED = "events_00 = events_00 - 1, events_45 = events_45 + 1"
# For rows of the projection: the table, the flip, and the field that verify must name.
OF_PROJECTION = [
    ("hourly_counts", FLIP_NUMBER.format("events_00"), "risk_distribution", "and dimension = 'risk_mode'"),
    ("hourly_counts", FLIP_NUMBER.format("events_15"), "tool_usage", "and dimension = 'tool_name'"),
    ("hourly_counts", FLIP_NUMBER.format("events_30"), "event_counts", "and dimension = 'event_type'"),
    ("hourly_counts", FLIP_NUMBER.format("events_45"), "event_counts", "and dimension = 'event_type'"),
    ("hourly_counts", FLIP_TEXT.format("key"), "risk_distribution", "and dimension = 'risk_mode'"),
    ("hourly_counts", ONE_MOVED, "event_counts", "and dimension = 'event_type'"),
    *[
        of_kind
        for kind, measure in (("session", "sessions"), ("user", "users"), ("identified", "identified"))
        for of_kind in (
            ("hourly_edges", FLIP_NUMBER.format("members"), f"{kind}_edges", f"and kind = '{kind}'"),
            ("hourly_edges", ANOTHER_PREVIOUS, f"{kind}_edges", f"and kind = '{kind}'"),
            ("hourly_members", FLIP_TEXT.format("member"), f"{measure}_missing", f"and kind = '{kind}'"),
        )
    ],
]


async def fill(sharded: Sharded) -> None:
    """Append, fold and compact, so that some witnesses are in the ledger and some are receipts."""
    for half in (SOME[:20], SOME[20:]):
        for shard in range(sharded.shards):
            if events := sharded.of_shard(shard, half):
                assert await append(sharded.database, events, shard=shard) == {}
        await step(sharded.database)
        if half is not SOME[20:]:
            for shard in range(sharded.shards):
                await sharded.database.only(sharded.database.statements.compact_receipts, shard)


async def wrong(sharded: Sharded) -> dict[tuple[int, object], tuple[str, frozenset[str]]]:
    """Return by shard and hour what verify finds wrong: the class, and the fields that it names."""
    return {
        (proof.hour.shard, proof.hour.start): (proof.state, frozenset(each.field for each in proof.differences))
        for proof in await proofs(sharded.database)
        if proof.state != "verified"
    }


async def test_one_bit_of_an_event_is_damage(sharded: Sharded, subtests: pytest.Subtests) -> None:
    await fill(sharded)
    assert await wrong(sharded) == {}
    chance = random.Random(7)
    for name, (flip, fields) in OF_EVENT.items():
        with subtests.test(name):
            event = chance.choice(SOME)
            hour, shard = start_of(event.timestamp, HOUR), sharded.shard_of(event.session_id)
            async with undone(sharded.admin):
                done = await sharded.admin.execute(FLIP_EVENT.format(flip), event.event_id)
                assert done == "UPDATE 1"
                found = await wrong(sharded)
            assert found.pop((shard, hour)) == ("damaged", fields)
            # A flipped shard number also damages the other shard, if it exists.
            others = {(shard ^ 1, hour)} if name == "shard" and shard ^ 1 < sharded.shards else set()
            assert set(found) == others
    assert await wrong(sharded) == {}


@pytest.mark.parametrize("table", ["hour_ledger", "receipts"])
async def test_one_bit_of_a_witness_is_damage(sharded: Sharded, table: str, subtests: pytest.Subtests) -> None:
    await fill(sharded)
    chance = random.Random(table)
    for name in WITNESSED:
        with subtests.test(name):
            row = chance.choice(await sharded.admin.fetch(WITNESSES.format(table)))
            async with undone(sharded.admin):
                await flip_row(sharded.admin, table, FLIP_WITNESS.format(name), row["ctid"])
                found = await wrong(sharded)
            assert found == {(row["shard"], row["hour"]): ("damaged", frozenset({name}))}


async def test_one_bit_of_the_projection_is_drift(sharded: Sharded, subtests: pytest.Subtests) -> None:
    await fill(sharded)
    chance = random.Random(8)
    for table, flip, field, of in OF_PROJECTION:
        with subtests.test(f"{table}: {flip} {of}"):
            rows = await sharded.admin.fetch(ROWS.format("hour" if table == "hourly_counts" else "bucket", table, of))
            row = chance.choice(rows)
            async with undone(sharded.admin):
                await flip_row(sharded.admin, table, flip, row["ctid"])
                found = await wrong(sharded)
            state, fields = found[row["shard"], row["hour"]]
            assert (state, field in fields) == ("drifted", True)
            # A member's next edge may lie in a later hour of its shard.
            assert {(state, shard) for (shard, _), (state, _) in found.items()} == {("drifted", row["shard"])}
            assert table == "hourly_members" or len(found) == 1


async def flip_row(admin: asyncpg.Connection[asyncpg.Record], table: str, flip: str, ctid: str) -> None:
    assert await admin.execute(FLIP.format(table, flip), ctid) == "UPDATE 1"


async def test_a_late_event_during_a_verification_is_not_taken_for_verified(sharded: Sharded) -> None:
    """The test stops the verification after it has read the hour and before it records the proof."""
    await fill(sharded)
    late = an_event(99, at=START + timedelta(minutes=1), session="s0")
    shard = sharded.shard_of("s0")
    (hour,) = [hour for hour in await list_hours(sharded.database, START, START + HOUR) if hour.shard == shard]

    async def kept() -> tuple[str, bool, int]:
        row = await sharded.database.only(sharded.database.statements.read_proof, shard, "hourly", START)
        return row["state"], row["current"], row["events"]

    async with sharded.admin.transaction():
        await sharded.admin.execute("lock table hour_proofs in share mode")
        verifying = asyncio.create_task(verify_hour(sharded.database, hour))
        await until_waited_for(sharded.admin)
        assert await append(sharded.database, [late], shard=shard) == {}
        assert await step(sharded.database) == 0
    proof = await verifying
    assert (proof.state, proof.events) == ("verified", hour.events)
    assert await kept() == ("verified", False, hour.events + 1)
    assert await step(sharded.database) == 1
    assert (await verify_hour(sharded.database, hour)).state == "verified"
    assert await kept() == ("verified", True, hour.events + 1)
    await sharded.check([*SOME, late])


async def test_a_late_event_during_a_rebuild_is_counted_once(sharded: Sharded) -> None:
    """The test stops the rebuild while it holds the checkpoint and before it writes."""
    await fill(sharded)
    late = an_event(99, at=START + timedelta(minutes=1), session="s0")
    shard = sharded.shard_of("s0")
    (hour,) = [hour for hour in await list_hours(sharded.database, START, START + HOUR) if hour.shard == shard]
    await sharded.admin.execute("delete from hourly_counts where hour = $1 and shard = $2", START, shard)
    async with sharded.admin.transaction():
        await sharded.admin.execute("lock table hourly_counts in share mode")
        rebuilding = asyncio.create_task(rebuild_hour(sharded.database, hour))
        await until_waited_for(sharded.admin)
        assert await append(sharded.database, [late], shard=shard) == {}
        assert await step(sharded.database) == 0
    rebuilt = await rebuilding
    assert rebuilt.outcome == REBUILT
    assert rebuilt.rows_written > 0
    await sharded.check([*SOME, late])
    assert await rebuild_hour(sharded.database, hour) == RebuiltHour(hour, REBUILT, 0)


# 2,500 events take some seconds; 120,000 take over a minute.
EVENTS_UNDER_LOAD = int(os.environ.get("TEST_EVENTS_UNDER_LOAD", "2500"))


class Load:
    """Appends events of few hours in random order, while every shard is folded, compacted and rebuilt."""

    def __init__(self, sharded: Sharded) -> None:
        self.events = random_events(13, EVENTS_UNDER_LOAD, hours=2, sessions=60)
        self.done = asyncio.Event()
        self._verified = asyncio.Semaphore(0)
        self._sharded = sharded
        self._shards = range(sharded.shards)
        self._hours = [Hour(shard, 1, START + n * HOUR, 0) for shard in self._shards for n in range(2)]

    async def write(self) -> None:
        """Append one batch per verification, because a fast machine would otherwise end before many verifications."""
        for batch in in_batches(self.events, seed=13):
            for shard in self._shards:
                if of_shard := self._sharded.of_shard(shard, batch):
                    await append(self._sharded.database, of_shard, shard=shard)
            await self._verified.acquire()
        self.done.set()

    async def project(self) -> None:
        database = self._sharded.database
        while not self.done.is_set():
            await step(database, limit=15)
            for shard in self._shards:
                await database.only(database.statements.compact_receipts, shard)

    async def rebuild(self) -> None:
        while not self.done.is_set():
            for hour in self._hours:
                assert await rebuild_hour(self._sharded.database, hour) == RebuiltHour(hour, REBUILT, 0)

    async def watch(self) -> list[HourProof]:
        found: list[HourProof] = []
        while not self.done.is_set():
            async for proof in verify(self._sharded.database, self._hours):
                found.append(proof)
                self._verified.release()
        return found


async def test_no_false_alarm_under_load(sharded: Sharded) -> None:
    load = Load(sharded)
    found, *_ = await asyncio.gather(load.watch(), load.write(), load.project(), load.rebuild())
    assert len({(proof.hour, proof.events) for proof in found}) > 100
    assert [proof for proof in found if proof.state != "verified"] == []
    await sharded.check(list({(event.event_id, event.timestamp): event for event in load.events}.values()))
