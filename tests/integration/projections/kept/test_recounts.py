"""Hours whose rows have left the log are recounted from their files, and their rollups are regenerated from them."""

from __future__ import annotations

import pytest

from projections.archive.kept_hours import KeptHours
from projections.rebuild import REBUILT
from projections.verify import UNCHECKED, verify_hour
from sql.errors import DatabaseError
from sql.hourly import SEALED
from tests.support import oracle
from tests.support.kept_hours import proofs_of, rebuilt_days
from tests.support.projection import folded
from tests.support.retired_days import EVENTS, day, totals
from tests.support.sharded import Sharded

# Each leaves nothing of the first two days but what the files give.
RUINS = """
delete from hourly_counts where hour < $1;
delete from hourly_members where bucket < $1;
delete from hourly_edges where bucket < $1;
delete from hourly_documents where hour < $1;
"""


async def test_a_kept_hour_is_recounted_from_its_file(old: Sharded, kept: KeptHours) -> None:
    proofs = await proofs_of(old, kept, 0, 2)
    assert {(proof.state, proof.kept) for proof in proofs} == {(SEALED, True)}
    assert {(each.outcome, each.rows_written) for each in await rebuilt_days(old, kept, 0, 2)} == {(REBUILT, 0)}
    assert await totals(old.database) == (len(EVENTS), len(EVENTS) - 32, 32)


async def test_a_rollup_that_is_lost_comes_back_from_the_files(old: Sharded, kept: KeptHours) -> None:
    for statement in filter(str.strip, RUINS.split(";")):
        await old.admin.execute(statement, day(2))
    assert {proof.state for proof in await proofs_of(old, kept, 0, 2)} == {"drifted"}
    assert {each.outcome for each in await rebuilt_days(old, kept, 0, 5)} == {REBUILT}
    for shard in range(old.shards):
        assert await folded(old.admin, shard=shard) == oracle.rows(old.of_shard(shard, EVENTS))
    assert {proof.state for proof in await proofs_of(old, kept, 0, 2)} == {SEALED}


async def test_an_hour_that_nobody_read_is_never_counted_as_empty(log: Sharded) -> None:
    statements, hour = log.database.statements, day(1)
    for query in (statements.verify_hourly, statements.rebuild_hourly):
        with pytest.raises(DatabaseError):
            await log.database.rows(query, 0, 1, hour)
    with pytest.raises(DatabaseError):
        await log.database.rows(statements.check_log, 0, hour)
    async with log.database.transaction() as session:  # nor when another hour was read
        await session.rows(statements.make_hours_from_files)
        await session.rows(statements.make_counts_from_files)
        with pytest.raises(DatabaseError, match="its file was not read before"):
            await session.rows(statements.verify_hourly, 0, 1, hour)


async def test_without_the_archive_a_kept_hour_is_unchecked(log: Sharded) -> None:
    (proof, *_) = await proofs_of(log, KeptHours(), 1, 2)
    assert (proof.state, proof.differences) == (UNCHECKED, [])
    recorded = await log.admin.fetchval("select max(verified_at) from hour_proofs where hour = $1", day(1))
    assert (await verify_hour(log.database, proof.hour)).state == UNCHECKED
    assert await log.admin.fetchval("select max(verified_at) from hour_proofs where hour = $1", day(1)) == recorded
    with pytest.raises(OSError, match="cannot be used here"):
        await rebuilt_days(log, KeptHours(), 1, 2)
