"""A copy of the chains' heads finds a chain that was forged or cut."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from projections import seals
from projections.copies import read_copy
from tests.support.alterations import undone
from tests.support.projections_command import run
from tests.support.retired_days import retire, verified
from tests.support.seal_changes import NEWEST
from tests.support.sharded import Sharded

FORGE = """
do $$
declare
    seal hour_seals;
    before bytea := decode(repeat('00', 32), 'hex');
begin
    for seal in select * from hour_seals order by sequence loop
        seal.code_version := 'forged';
        seal.previous_hash := before;
        before := seal_hash(seal);
        update hour_seals set code_version = 'forged', previous_hash = seal.previous_hash, hash = before
        where sequence = seal.sequence;
    end loop;
end
$$
"""


async def test_a_copy_of_the_heads_finds_what_the_chains_cannot(sealed: Sharded, tmp_path: Path) -> None:
    printed = await run(sealed.url, "seal-head")
    (head,) = await seals.seal_heads(sealed.database)
    assert printed.code == 0
    assert msgspec.json.decode(printed.output, type=seals.SealHead) == head
    assert (head.shard, head.sequence, head.hour) == (0, 12, f"{NEWEST:%Y-%m-%dT%H:%MZ}")
    copy = tmp_path / "copy"
    copy.write_text(printed.output)

    async def check() -> tuple[int, list[str]]:
        checked = await run(sealed.url, "seal-head", "--check", str(copy))
        return checked.code, checked.output.splitlines()

    right = (0, ["seal-head: 1 head in the copy, 0 not in the chains"])
    assert await check() == right
    await retire(sealed.database, 9)
    # An old copy of the heads is still part of the chains.
    assert (await seals.seal_heads(sealed.database))[0].sequence > 12
    assert await check() == right
    wrong = f"shard 0: broken: seal 12 of {head.hour} is not what the copy says"
    async with undone(sealed.admin):
        await sealed.admin.execute(FORGE)
        assert {proof.state for proof in await verified(sealed)} == {"sealed"}
        assert await check() == (1, [wrong, "seal-head: 1 head in the copy, 1 not in the chains"])
    async with undone(sealed.admin):
        await sealed.admin.execute("delete from hour_seals where sequence >= 12")
        assert (await check())[0] == 1
    assert await check() == right


GOOD = {"shard": 0, "sequence": 1, "hour": "2026-01-01T00:00Z", "hash": "0" * 64}
BAD = {
    "no hash": (json.dumps({name: GOOD[name] for name in ("shard", "sequence", "hour")}).encode(), "`hash`"),
    "a short hash": (json.dumps(GOOD | {"hash": "00"}).encode(), "$.hash"),
    "no number": (json.dumps(GOOD | {"sequence": "1"}).encode(), "$.sequence"),
    "no place": (json.dumps(GOOD | {"sequence": 0}).encode(), "$.sequence"),
    "too great a shard": (json.dumps(GOOD | {"shard": 2**31}).encode(), "$.shard"),
    "an unknown field": (json.dumps(GOOD | {"shards": 0}).encode(), "`shards`"),
    "cut": (json.dumps(GOOD).encode()[:-9], "truncated"),
    "not UTF-8": (b'{"shard": 0, "hour": "\xff"}', "utf-8"),
    "no JSON": (b"seal", "malformed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_copy_is_refused_by_line_and_field(name: str) -> None:
    line, where = BAD[name]
    with pytest.raises(msgspec.DecodeError, match=r"^line 3 of the copy: ") as refused:
        read_copy([json.dumps(GOOD).encode() + b"\n", b"\n", line], seals.SealHead)
    assert where in str(refused.value)


async def test_a_bad_copy_exits_2(sealed: Sharded, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(BAD["no hash"][0])
    refused = await run(sealed.url, "seal-head", "--check", str(copy))
    message = "error: line 1 of the copy: Object missing required field `hash`"
    assert (refused.code, refused.output, refused.last_error) == (2, "", message)
    missing = await run(sealed.url, "seal-head", "--check", str(tmp_path / "nowhere"))
    assert (missing.code, missing.output) == (2, "")
    assert "nowhere" in missing.last_error
