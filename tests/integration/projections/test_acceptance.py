"""Damage that is accepted lets an hour go on, and is told for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from projections.acceptance import NotAccepted, accept_damage, list_accepted
from projections.archive.kept_hours import KeptHours
from projections.conservation import conservation
from projections.hours import list_hours
from projections.log_heads import log_heads, losses, witnessed
from projections.verify import verify, verify_hour
from projections.witness import tell_witness
from service.ingest.event import Event
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database
from sql.hourly import BROKEN, DAMAGED, VERIFIED
from tests.support import alterations, oracle
from tests.support.alterations import undone
from tests.support.archive import archived
from tests.support.archived_days import leave_rows
from tests.support.damages import DAMAGES
from tests.support.log import NOW, append
from tests.support.oracle import HOUR
from tests.support.projection import START, fold, folded, proofs
from tests.support.projections_command import run, text
from tests.support.retired_days import EVENTS, chain_is_whole, day, fill, past
from tests.support.sharded import Sharded

# Those that the checkpoint has passed.
ROWS = """
select event_id, session_id, user_id, event_type, tool_name, action, properties::text, demo_mode, timestamp from events
where position <= 6
"""
LOSE = "delete from events where event_id = $1"
# The head itself would be another one.
OF_HEAD = {"a receipt was deleted", "all receipts were deleted"}


async def damaged(log: Sharded) -> list[str]:
    return [text(proof.hour.start) for proof in await proofs(log.database) if proof.state == DAMAGED]


async def stored(log: Sharded) -> list[Event]:
    return [Event(*row) for row in await log.admin.fetch(ROWS)]


async def test_every_damage_can_be_accepted(
    database: Database, database_url: str, admin: asyncpg.Connection, subtests: pytest.Subtests
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await alterations.fill(database)
    for name, damage in DAMAGES.items():
        if name in OF_HEAD:
            continue
        with subtests.test(name):
            async with undone(log.admin):
                known = await log_heads(database)
                await alterations.alter(log.admin, damage.script)
                for proof in await proofs(database):
                    if proof.state == DAMAGED:
                        await accept_damage(database, 0, proof.hour.start, "the disk lied", "me")
                assert {proof.state for proof in await proofs(database)} == {VERIFIED}
                accepted = await list_accepted(database)
                assert {each.hour for each in accepted} == set(damage.fields)
                assert await folded(log.admin) == oracle.rows(await stored(log))
                assert [shard for shard in await conservation(database) if not shard.holds] == []
                assert await losses(database, known) == []
                await log.admin.execute("update shard_totals set compacted = compacted - 1")
                assert [loss.field for loss in await losses(database, known)] == ["stored"]


@pytest.mark.versions("newest")
async def test_only_damage_is_accepted_and_later_damage_is_damage_again(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await alterations.fill(database)
    with pytest.raises(NotAccepted, match="it is not damaged"):
        await accept_damage(database, 0, START, "why not", "me")
    assert await tell_witness(database, tmp_path)
    await log.admin.execute(LOSE, "evt_0")
    await accept_damage(database, 0, START, "the disk lied", "me")
    (accepted,) = await list_accepted(database)
    assert (accepted.before, accepted.after, accepted.reason, accepted.asked_by) == (3, 2, "the disk lied", "me")
    # The copy elsewhere knows more, but also when this was accepted.
    assert await tell_witness(database, tmp_path)
    answer = await Rollups(database, Shards(database), lambda: NOW).one(text(START))
    assert answer["rollup"]["total_events"] == 2
    told = answer["accepted"][0]
    assert told.pop("accepted_at")
    assert told == {"shard": 0, "events_before": 3, "events_after": 2, "reason": "the disk lied", "asked_by": "me"}
    assert "accepted" not in await Rollups(database, Shards(database), lambda: NOW).one(text(START + HOUR))

    await log.admin.execute(LOSE, "evt_1")
    assert await damaged(log) == [text(START)]
    await accept_damage(database, 0, START, "again", "me")
    assert [(each.before, each.after) for each in await list_accepted(database)] == [(3, 2), (2, 1)]
    await log.admin.execute("update amendments set reason = 'nothing' where sequence = 1")
    assert {proof.state for proof in await proofs(database)} == {BROKEN}


@pytest.mark.versions("newest")
async def test_a_witness_knows_what_was_accepted_by_the_chain_and_not_by_a_clock(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await alterations.fill(database)
    before = await log_heads(database)
    await log.admin.execute(LOSE, "evt_0")
    # An amendment has the time from before its commit, so a witness in between has a later time, and the older numbers.
    await accept_damage(database, 0, START, "the disk lied", "me", before[0].at - HOUR)
    assert await losses(database, before) == []
    hours = await witnessed(database, before, await list_hours(database, None, None))
    assert {proof.state async for proof in verify(database, hours)} == {VERIFIED}
    # And what a witness knows already excuses nothing, though no seal follows.
    await log.admin.execute(LOSE, "evt_3")
    await accept_damage(database, 0, START + HOUR, "again", "me", before[0].at + HOUR)
    after = await log_heads(database)
    assert (after[0].seal, after[0].link) == (None, 2)
    assert await losses(database, after) == []
    await log.admin.execute("update shard_totals set compacted = compacted - 1")
    for copy in (before, after):
        assert [loss.field for loss in await losses(database, copy)] == ["stored"]


@pytest.mark.versions("newest")
async def test_events_that_come_meanwhile_are_no_damage(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    events = await alterations.fill(database)
    await log.admin.execute(LOSE, "evt_0")
    late = [event._replace(event_id=f"late {event.event_id}") for event in events[:3]]
    await asyncio.gather(
        accept_damage(database, 0, START, "the disk lied", "me"),
        *(append(database, [event]) for event in late),
    )
    await fold(database)
    assert {proof.state for proof in await proofs(database)} == {VERIFIED}
    assert await folded(log.admin) == oracle.rows([*events[1:], *late])


@pytest.mark.versions("newest")
async def test_a_day_leaves_once_its_damage_is_accepted(sharded: Sharded, tmp_path: Path) -> None:
    await fill(sharded, EVENTS)
    lost = EVENTS[5]
    await sharded.admin.execute(LOSE, lost.event_id)
    left = [event for event in EVENTS if event != lost]
    archive = tmp_path / "archive"
    (kept,) = await leave_rows(sharded.database, 0, archive)
    assert kept.hindrance is not None
    (shard, hour) = sharded.shard_of(lost.session_id), lost.timestamp.replace(minute=0)
    await accept_damage(sharded.database, shard, hour, "no backup has it", "me")
    assert [each.hindrance for each in await leave_rows(sharded.database, 0, archive)] == ["not in the archive yet"]
    await archived(sharded.database, archive, past(0))
    await archived(sharded.database, archive, past(0) + HOUR)
    assert [each.hindrance for each in await leave_rows(sharded.database, 0, archive)] == [None]
    for number in range(sharded.shards):
        assert await folded(sharded.admin, shard=number) == oracle.rows(sharded.of_shard(number, left))
    with KeptHours(archive) as files:
        found = [p async for p in verify(sharded.database, await list_hours(sharded.database, None, None), files)]
    assert [proof for proof in found if proof.state not in ("verified", "sealed")] == []
    assert sum(proof.events for proof in found) == len(left)
    assert [each for each in await conservation(sharded.database) if not each.holds] == []
    await chain_is_whole(sharded)
    with pytest.raises(NotAccepted, match="its rows have left the log"):
        await accept_damage(sharded.database, shard, hour, "again", "me")
    (accepted,) = await list_accepted(sharded.database, None, day(0), day(1))
    assert accepted.before - accepted.after == 1


@pytest.mark.versions("newest")
async def test_the_command_accepts_and_verify_names_it(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await alterations.fill(database)
    arguments = ("accept-damage", "--hour", text(START), "--reason", "the disk lied")
    refused = await run(database_url, *arguments)
    assert (refused.code, refused.last_error) == (
        2,
        f"error: hour {text(START)} is not damaged: its events are those that were appended",
    )
    await log.admin.execute(LOSE, "evt_0")
    assert (await run(database_url, "verify")).code == 1
    done = await run(database_url, *arguments)
    told, last = done.output.splitlines()
    assert told.startswith(f"{text(START)} shard 0: accepted: 3 events appended, 2 found and accepted by ")
    assert told.endswith(": the disk lied")
    assert (done.code, last) == (0, f"accept-damage: hour {text(START)}, 1 shard: it verifies")
    verified = await run(database_url, "verify")
    assert (verified.code, told in verified.output.splitlines()) == (0, True)
    assert verified.output.endswith(": clean\n")
    (hour,) = await list_hours(database, START, START + HOUR)
    assert (await verify_hour(database, hour)).events == 2
