"""The witness outside of the database tells what a log has lost, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from projections.copies import read_copy
from projections.log_heads import LogHead, changed_hours, log_heads, losses
from projections.verify import verify
from projections.witness import NAME, WitnessError, read_witness, tell_witness
from sql.database import Database
from sql.digest import digest_text
from sql.durable import replace
from tests.conftest import RETENTION_DAYS, Servers
from tests.support.alterations import LAST, NEXT, fill, undone
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import START, fold
from tests.support.projections_command import run, text
from tests.support.retired_days import DAYS, FIRST, retire
from tests.support.sharded import Sharded

# What the log takes after the snapshot that it goes back to: in an hour that has events, and in a new one.
NEWER = [an_event(10, at=NEXT), an_event(11, at=NEXT + timedelta(minutes=1)), an_event(12, at=LAST + HOUR)]
OTHERS = [an_event(number, at=NEXT + number * timedelta(seconds=1)) for number in range(100, 110)]


@asynccontextmanager
async def gone_back(servers: Servers, version: int, url: str, place: Path) -> AsyncIterator[str]:
    """Give the URL of a log that has gone back behind what its witness knows: it lacks the events NEWER."""
    database = Database(url)
    await fill(database)
    await database.close()
    administrator = await servers.administrator(version)
    name = f"snapshot_{uuid4().hex}"
    await administrator.execute(f'create database "{name}" template "{urlsplit(url).path[1:]}" strategy file_copy')
    try:
        await append(database := Database(url), NEWER)
        assert await tell_witness(database, place)
        await database.close()
        yield servers.url(version, name)
    finally:
        await administrator.execute(f'drop database "{name}" with (force)')


async def test_a_log_that_has_gone_back_is_told_with_hours_and_positions(
    servers: Servers, postgres_version: int, database_url: str, tmp_path: Path
) -> None:
    place = tmp_path / "witness"
    async with gone_back(servers, postgres_version, database_url, place) as url:
        assert (await run(url, "verify")).code == 0
        (known,) = read_copy(place.read_bytes().splitlines(), LogHead)
        verified = await run(url, "verify", HOURLEDGER_WITNESS=str(place))
        at = f"{known.at:%Y-%m-%dT%H:%M:%SZ}"
        hours = [
            f'{text(NEXT)} shard 0: damaged: witnessed_events "{at}": appended 3, found 1',
            f'{text(NEXT)} shard 0: damaged: witnessed_digest "{at}": appended {known.hours[NEXT][1]}, found ',
            f'{text(LAST + HOUR)} shard 0: damaged: witnessed_events "{at}": appended 1, found 0',
            f'{text(LAST + HOUR)} shard 0: damaged: witnessed_digest "{at}": appended {known.hours[LAST + HOUR][1]}',
        ]
        lost = "the log ends at position 6, but it had reached 9: positions 7 to 9 are lost"
        shard = [
            f"shard 0: damaged: {lost} (witnessed {at})",
            f"shard 0: damaged: 6 events are stored, but 9 had been (witnessed {at})",
        ]
        summary = "verify: 4 hours, 6 events: 2 verified, 0 sealed, 0 drifted, 2 damaged, 0 broken: WRONG"
        lines = verified.output.splitlines()
        assert verified.code == 1
        assert [line[: len(expected)] for line, expected in zip(lines, [*hours, *shard, summary], strict=True)] == [
            *hours,
            *shard,
            summary,
        ]
        as_json = json.loads((await run(url, "verify", "--json", HOURLEDGER_WITNESS=str(place))).output)
        assert as_json["ok"] is False
        assert as_json["findings"][-2] == {
            "hour": None, "shard": 0, "class": "damaged", "field": "witnessed_position", "bucket": None, "key": at,
            "stored": "9", "recounted": "6",
        }  # fmt: skip
        one = await run(url, "verify", "--from", text(START), "--to", text(NEXT), HOURLEDGER_WITNESS=str(place))
        assert one.code == 0
        checked = await run(url, "log-head", "--check", str(place))
        assert (checked.code, sorted(checked.output.splitlines()[:-1])) == (1, sorted(lines[:-1]))
        assert checked.output.splitlines()[-1] == "log-head: 1 shard, 4 hours in the copy: 2 hours wrong: LOST"


async def test_the_projector_leaves_a_witness_that_knows_more_and_records_the_hours(
    servers: Servers, postgres_version: int, database_url: str, tmp_path: Path
) -> None:
    place = tmp_path / "witness"
    async with gone_back(servers, postgres_version, database_url, place) as url:
        before = place.read_bytes()
        database = Database(url)
        assert not await tell_witness(database, place)
        assert place.read_bytes() == before
        assert tuple(await database.only(database.statements.count_failed_proofs)) == (0, 2, 0)
        # Others take the positions, in an hour that lost nothing and in one that has more events than it had.
        await append(database, [an_event(99, at=START), *OTHERS])
        await fold(database)
        known = await read_witness(database, place)
        assert [(loss.field, loss.known) for loss in await losses(database, known)] == [("newest", 9)]
        assert not await tell_witness(database, place)
        found = [proof async for proof in verify(database, await changed_hours(database, known))]
        assert [(proof.hour.start, proof.state) for proof in found] == [
            (START, "verified"),
            (NEXT, "damaged"),
            (LAST + HOUR, "damaged"),
        ]
        # Once the operator has taken the witness away, the projector writes a new one.
        place.unlink()
        assert await tell_witness(database, place)
        assert (await read_witness(database, place))[0].stored == 17
        await database.close()


async def test_a_log_that_goes_on_has_lost_nothing(sharded: Sharded, tmp_path: Path) -> None:
    """Not when late events come, when receipts are compacted, and when days and their rollups go."""
    database = sharded.database
    events = [an_event(number, at=START + number * timedelta(minutes=7)) for number in range(100)]
    copies = []
    for place in range(0, 100, 20):
        for shard in range(sharded.shards):
            some = [event._replace(session_id=f"{shard}") for event in events[place : place + 20]]
            await append(database, some, shard=shard)
        copies.append(await log_heads(database))
        assert await tell_witness(database, tmp_path)
        await fold(database, shard=0)
        await database.only(database.statements.compact_receipts, 0)
    folder = tmp_path / ""
    assert [file.name for file in folder.iterdir()] == [NAME]
    assert [without_time(head) for head in await read_witness(database, tmp_path)] == list(
        map(without_time, copies[-1])
    )
    await append(database, [an_event(200, at=START)])
    for copy in copies:
        assert await losses(database, copy) == []
        proofs = [proof async for proof in verify(database, await changed_hours(database, copy))]
        assert {proof.state for proof in proofs} <= {"verified"}


def without_time(head: LogHead) -> LogHead:
    return msgspec.structs.replace(head, at=START)


async def test_days_and_rollups_that_retention_took_are_no_loss(sealed: Sharded) -> None:
    database = sealed.database
    known = await log_heads(database)
    # A copy from when all these hours took events.
    hours = {row["hour"]: row for row in await database.rows(database.statements.list_appended, 0, FIRST)}
    old = [msgspec.structs.replace(known[0], retired=0, hours={hour: of(row) for hour, row in hours.items()})]
    assert len(old[0].hours) == len(DAYS) * 3
    for _ in range(2):  # the first pass ends the grace of the days that the fixture retired
        await retire(database, 9, grace_days=0, rollup_days=RETENTION_DAYS)
    assert await losses(database, old) == []
    # Nor is a day that was brought back.
    (now,) = await log_heads(database)
    assert await losses(database, [msgspec.structs.replace(now, retired=now.retired + 1)]) == []
    # Hours whose ledger is gone are compared with their seals.
    changed = await changed_hours(database, old)
    assert len(changed) > 3
    assert {proof.state async for proof in verify(database, changed)} == {"sealed"}


def of(row: asyncpg.Record) -> tuple[int, str]:
    return row["events"], digest_text(row["digest_high"], row["digest_low"])


# What is lost, how, and the value of the witness that tells it.
FORGERIES = {
    "the newest seals": ("delete from hour_seals where sequence > 6", "seal"),
    "the newest event": ("delete from events where position = (select max(position) from events)", "newest"),
    "the total": ("update shard_totals set compacted = compacted - 1", "stored"),
    "the newest receipts": ("delete from receipts", "position"),
    "the newest links of the chain": ("delete from hour_seals where sequence > 6", "links"),
}


async def test_what_a_shard_has_lost_is_told(sealed: Sharded, subtests: pytest.Subtests) -> None:
    known = await log_heads(sealed.database)
    assert await losses(sealed.database, known) == []
    for name, (script, field) in FORGERIES.items():
        with subtests.test(name):
            async with undone(sealed.admin):
                await sealed.admin.execute(script)
                assert field in [loss.field for loss in await losses(sealed.database, known)]


async def test_a_witness_that_cannot_be_used_is_told_and_kept(
    database: Database, database_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    place = tmp_path / "witness"
    await fill(database)
    nothing = await run(database_url, "verify", HOURLEDGER_WITNESS=str(place))
    message = f"error: there is no witness {place} yet; the projector writes it every minute"
    assert (nothing.code, nothing.last_error) == (2, message)
    assert nothing.output.endswith(": clean\n")
    (head,) = await log_heads(database)
    another = msgspec.structs.replace(head, database=head.database - timedelta(seconds=1))
    unusable = {
        "of another database": (msgspec.json.encode(another), "is of another database"),
        "no witness": (b"precious notes", "line 1 of the copy: JSON is malformed"),
        "cut": (msgspec.json.encode(head)[:-9], "line 1 of the copy: Input data was truncated"),
    }
    for name, (content, why) in unusable.items():
        with subtests.test(name):
            place.write_bytes(content)
            with pytest.raises(WitnessError, match=why):
                await tell_witness(database, place)
            assert place.read_bytes() == content
    refused = await run(database_url, "verify", HOURLEDGER_WITNESS=str(place))
    assert (refused.code, refused.output) == (2, nothing.output)
    assert refused.last_error.startswith(f"error: the witness {place} cannot be used: line 1 of the copy: ")
    with pytest.raises(WitnessError, match=r"cannot be written: .*No such file"):
        await tell_witness(database, place.parent / "nowhere" / "witness")


async def test_the_head_is_printed_and_a_copy_of_it_checked(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    place = tmp_path / "witness"
    await fill(database)
    printed = await run(database_url, "log-head")
    assert (printed.code, printed.errors) == (0, "log-head: 1 shard\n")
    place.write_text(printed.output)
    await append(database, OTHERS)
    checked = await run(database_url, "log-head", "--check", str(place))
    right = "log-head: 1 shard, 3 hours in the copy: 0 hours wrong: nothing is lost\n"
    assert (checked.code, checked.output) == (0, right)


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "file"
    replace(place, b"old")
    with patch("os.fsync", side_effect=OSError(28, "No space left on device")), pytest.raises(OSError, match="space"):
        replace(place, b"new")
    assert place.read_bytes() == b"old"
    replace(place, b"new")
    assert [(file.name, file.read_bytes()) for file in place.parent.iterdir()] == [(place.name, b"new")]
