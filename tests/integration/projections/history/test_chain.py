"""Amendments are links of the seals' chain: anyone can recompute them, and verify names every change of them."""

from __future__ import annotations

import hashlib
import json

import asyncpg
import pytest

from projections.seals import missing_heads, seal_heads
from tests.integration.projections.seals.test_chain import microseconds
from tests.support.alterations import undone
from tests.support.history import Past, date_of, history_of
from tests.support.retired_days import day

AMENDMENTS = "select * from amendments order by shard, sequence"
# Of the amendments of day 0, or of a seal that was superseded, and what verify names in hours of the day.
CHANGES = {
    "the reason": ("update amendments set reason = 'another'", {"amendment"}),
    "who asked": ("update amendments set asked_by = 'another'", {"amendment"}),
    "the day": ("update amendments set day = day + 100", {"seal_before"}),
    "the numbers": ("update amendments set hours = replace(hours::text, 'before', 'after')::json", {"amendment"}),
    "the time": ("update amendments set amended_at = amended_at + interval '1 us'", {"amendment"}),
    "the hash before": ("update amendments set previous_hash = '\\x00'", {"amendment", "amendment_before"}),
    "the hash": ("update amendments set hash = '\\x00'", {"amendment"}),
    "one was deleted": (
        "delete from amendments where sequence = (select max(sequence) from amendments)",
        {"seal_before"},
    ),
    "a superseded seal": (
        """
        update hour_seals as s set events = s.events + 1
        where exists (
            select from hour_seals as later
            where later.shard = s.shard and later.hour = s.hour and later.sequence > s.sequence
        )
        """,
        {"seal"},
    ),
}


async def test_an_amendment_is_recomputed_from_its_documented_text(past_days: Past) -> None:
    for number in (0, -5):
        await past_days.bring_in(number, history_of(number))
    for row in await past_days.log.admin.fetch(AMENDMENTS):
        values = [
            row["shard"],
            row["sequence"],
            f"{row['day']}",
            *(row[name] for name in ("kind", "reason", "asked_by")),
        ]
        values += [row["hours"], row["code_version"], microseconds(row["amended_at"]), row["previous_hash"].hex()]
        assert hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).digest() == row["hash"]
    assert {head.shard for head in await seal_heads(past_days.log.database)}
    assert await missing_heads(past_days.log.database, await seal_heads(past_days.log.database)) == []


async def test_every_change_of_the_chain_is_found(past_days: Past, subtests: pytest.Subtests) -> None:
    heads = await seal_heads(past_days.log.database)
    for seed in (0, 1):
        await past_days.bring_in(0, history_of(0, seed=seed, count=40))
    await past_days.check()
    assert await missing_heads(past_days.log.database, heads) == []
    for name, (change, fields) in CHANGES.items():
        with subtests.test(name):
            async with undone(past_days.log.admin):
                await past_days.log.admin.execute(change)
                broken = [proof for proof in await past_days.proofs() if proof.state == "broken"]
                found = {difference.field for proof in broken for difference in proof.differences}
                assert found >= fields
                assert found <= fields | {"seal_before", "amendment_before"}
                assert {proof.hour.start.date() for proof in broken} == {date_of(0)}
    await past_days.check()


async def test_amendments_are_append_only(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    connection = await asyncpg.connect(past_days.log.url)
    for change in ("update amendments set reason = ''", "delete from amendments", "truncate amendments"):
        with pytest.raises(asyncpg.RestrictViolationError, match="amendments is refused"):
            await connection.execute(change)
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute("delete from retired_days where day = $1", day(0).date())
    await connection.close()
