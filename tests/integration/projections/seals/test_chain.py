"""Seals are append-only, and anyone can recompute each shard's chain from its documented text."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from projections import seals
from sql import VERSION
from tests.conftest import Servers
from tests.support import oracle
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.projection import COUNTS, by_quarter
from tests.support.retired_days import EVENTS, day, fill, past, retire
from tests.support.sharded import Sharded, sharded_log

SEAL_OF = "select * from hour_seals where shard = $1 order by sequence"
COUNTED = f"{COUNTS} where hour = $1 and shard = $2"
ACTIVE = "select bucket, kind, member from hourly_members where hour_of(bucket) = $1 and shard = $2"
ODD = 'päge "viewed"\\ 😀\n\x01'


def canonical(seal: asyncpg.Record, before: bytes) -> bytes:
    """Return the text that a seal's hash covers, as sql/functions/seals/seal_hash.sql describes it."""
    values = [
        seal["shard"],
        seal["sequence"],
        microseconds(seal["hour"]),
        seal["document"],
        seal["events"],
        *(f"{seal[name]:f}" for name in ("position_sum", "digest_high", "digest_low", "rows_high", "rows_low")),
        seal["code_version"],
        microseconds(seal["sealed_at"]),
        before.hex(),
    ]
    return json.dumps(values, ensure_ascii=False).encode()


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def rows_digest(rows: list[tuple[Any, ...]]) -> tuple[int, int]:
    """Return two sums over the digests of the rows: of their high halves and of their low halves."""
    texts = [json.dumps([microseconds(row[0]), *row[1:]], ensure_ascii=False).encode() for row in rows]
    digests = [hashlib.sha256(text).digest() for text in texts]
    high, low = (sum(int.from_bytes(digest[first : first + 8], signed=True) for digest in digests) for first in (0, 8))
    return high, low


@pytest.mark.parametrize("shards", [1, 8])
async def test_a_chain_is_recomputed_from_its_documented_text(
    servers: Servers, postgres_version: int, shards: int
) -> None:
    odd = [an_event(900 + n, at=day(0) + HOUR, session=ODD + str(n), kind=ODD, tool=ODD) for n in range(8)]
    async with sharded_log(servers, postgres_version, shards) as log:
        await fill(log, [*EVENTS, *odd])
        await retire(log.database, 3)
        heads = []
        for shard in range(shards):
            before, chain = bytes(32), await log.admin.fetch(SEAL_OF, shard)
            for sequence, seal in enumerate(chain, start=1):
                assert (seal["sequence"], seal["previous_hash"]) == (sequence, before)
                before = hashlib.sha256(canonical(seal, before)).digest()
                assert seal["hash"] == before
                assert (seal["sealed_at"], seal["code_version"]) == (past(3), VERSION)
                await check_seal(log, seal, [*EVENTS, *odd])
            if chain:
                newest = f"{chain[-1]['hour']:%Y-%m-%dT%H:%MZ}"
                heads.append(seals.SealHead(shard, len(chain), newest, before.hex()))
        assert await seals.seal_heads(log.database) == heads
        assert {head.shard for head in heads} == {log.shard_of(each.session_id) for each in [*EVENTS, *odd]}


async def check_seal(log: Sharded, seal: asyncpg.Record, events: list[Any]) -> None:
    """Assert that a seal agrees with the events and rows of its hour."""
    of_shard = log.of_shard(seal["shard"], events)
    inside = [each for each in of_shard if oracle.start_of(each.timestamp, HOUR) == seal["hour"]]
    document = json.loads(seal["document"])
    assert (seal["events"], document["total_events"]) == (len(inside), len(inside))
    assert document["unique_sessions"] == len({each.session_id for each in inside})
    where = seal["hour"], seal["shard"]
    counts = by_quarter(await log.admin.fetch(COUNTED, *where))
    rows = [(*name, events) for name, events in counts.items()]
    active = await log.admin.fetch(ACTIVE, *where)
    assert {(kind, member) for _, kind, member in active} == {pair for each in inside for pair in oracle.active(each)}
    # Session rows have no kind in the digest, because older seals know only sessions.
    rows += [(bucket, *([kind] if kind != "session" else []), member) for bucket, kind, member in active]
    assert (seal["rows_high"], seal["rows_low"]) == rows_digest(rows)


ONE_ROW = {
    "hour_seals": "insert into hour_seals values (0, 1, now(), '{}', 0, 0, 0, 0, 0, 0, '', now(), '', '')",
    "retired_days": "insert into retired_days values (0, now(), 0, now())",
}


@pytest.mark.parametrize("table", ONE_ROW)
async def test_seals_and_retired_days_are_append_only(database_url: str, table: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(ONE_ROW[table])
    for change in ("update {} set events = 0", "delete from {}", "truncate {}"):
        with pytest.raises(asyncpg.RestrictViolationError, match=f"{table} is refused"):
            await connection.execute(change.format(table))
    await connection.close()
