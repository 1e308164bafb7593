"""A rebuild of everything counts kept hours from their files, and gives what was there before, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from projections import versions
from projections.archive.kept_hours import KeptHours
from projections.verify import HourProof
from sql.hourly import DAMAGED, SEALED, VERIFIED
from tests.support.kept_hours import proofs_of
from tests.support.retired_days import chain_is_whole, day
from tests.support.sharded import Sharded

TABLES = {
    "hourly_counts": "shard, hour, dimension, key, events_00, events_15, events_30, events_45",
    "hourly_members": "shard, kind, member, bucket",
    "hourly_edges": "shard, kind, bucket, previous, members",
    "hourly_documents": "shard, hour, document::text, events, sessions, keys",
}


async def rows_of(log: Sharded, version: int) -> dict[str, list[Any]]:
    """Return all rows of a version; edges without members count as absent."""
    return {
        table: await log.admin.fetch(
            f"select {columns} from {table} where version = $1"  # noqa: S608
            f" and {'members <> 0' if table == 'hourly_edges' else 'true'} order by {columns}",
            version,
        )
        for table, columns in TABLES.items()
    }


async def rebuild_all(log: Sharded, kept: KeptHours) -> list[HourProof]:
    version = await versions.begin(log.database)
    async for _ in versions.fill(log.database, version, kept):
        pass
    proofs = [proof async for proof in versions.prove(log.database, version, kept)]
    await versions.switch(log.database, version, proofs, kept)
    return proofs


async def test_everything_is_rebuilt_from_rows_and_files(old: Sharded, kept: KeptHours) -> None:
    before, seals = await rows_of(old, 1), await chain_is_whole(old)
    # What the live version has is not copied: the wrong rows of a kept hour do not come along.
    await old.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour < $1", day(1))
    await old.admin.execute("delete from hourly_members where bucket >= $1 and bucket < $2", day(1), day(2))
    proofs = await rebuild_all(old, kept)
    assert {(proof.state, proof.kept) for proof in proofs} == {(SEALED, True), (VERIFIED, False)}
    after = await rows_of(old, 2)
    assert {table: after[table] for table in TABLES if table != "hourly_documents"} == {
        table: before[table] for table in TABLES if table != "hourly_documents"
    }
    # Of hours that are over, which the clock of the other days may not say.
    assert set(after["hourly_documents"]) >= set(before["hourly_documents"])
    assert await chain_is_whole(old) == seals
    assert {proof.state for proof in await proofs_of(old, kept, 0, 2)} == {SEALED}


async def test_a_kept_hour_whose_file_is_damaged_is_carried_over(log: Sharded, archive: Path, kept: KeptHours) -> None:
    before = await rows_of(log, 1)
    file = await log.admin.fetchval("select file from archive_hours where hour = $1", day(1))
    (archive / file).unlink()
    proofs = await rebuild_all(log, kept)
    assert {proof.hour.start.date() for proof in proofs if proof.state == DAMAGED} == {day(1).date()}
    after = await rows_of(log, 2)
    for table in ("hourly_counts", "hourly_members", "hourly_edges"):
        assert after[table] == before[table]
