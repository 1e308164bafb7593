"""Seals: anyone can recompute each shard's chain, and verify names every change of a sealed hour."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from projections import seals
from projections.hours import list_hours
from projections.rebuild import rebuild
from projections.verify import HourProof, conservation, verify_hour
from sql import VERSION
from sql.database import Database
from sql.hourly import SEALED
from sql.migrate import list_migrations, migrate, rollback
from tests.conftest import Servers
from tests.support import oracle
from tests.support.alterations import undone
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.projection import COUNTS, by_quarter
from tests.support.projections_command import run
from tests.support.retired_days import day, fill, old_events, past, retire
from tests.support.sharded import Sharded, sharded_log

EVENTS = old_events()
SEAL_OF = "select * from hour_seals where shard = $1 order by sequence"
COUNTED = f"{COUNTS} where hour = $1 and shard = $2"
ACTIVE = "select bucket, kind, member from hourly_members where hour_of(bucket) = $1 and shard = $2"
COUNTS_BY_HOUR = 5
ODD = 'päge "viewed"\\ 😀\n\x01'


@pytest_asyncio.fixture
async def sealed(database: Database, database_url: str, admin: asyncpg.Connection) -> Sharded:
    """Give a log on one shard whose first four days are retired."""
    log = Sharded(database_url, 1, database, admin)
    await fill(log, EVENTS)
    assert [retired.hindrance for retired in await retire(database, 3)] == [None] * 4
    return log


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


Fields = dict[datetime, set[str]]


@dataclass(frozen=True)
class Change:
    """A change behind hourledger's back, and the fields that verify must name in each hour that is broken or drifted.

    edges: the change may also drift the edges of later hours. whole: stored = live + retired still holds.
    """

    script: str
    broken: Fields = field(default_factory=dict)
    drifted: Fields = field(default_factory=dict)
    edges: bool = False
    whole: bool = True


FIRST, SECOND, THIRD, NEXT = day(1), day(1) + 7 * HOUR, day(1) + 23 * HOUR, day(2)
EMPTY = day(1) + 12 * HOUR
NEWEST = day(3) + 23 * HOUR
HOURS = sorted({oracle.start_of(event.timestamp, HOUR) for event in EVENTS if event.timestamp < day(4)})
DAY_TOTAL: Fields = {hour: {"retired_events"} for hour in (FIRST, SECOND, THIRD)}
OF_EDGES = {"session_edges", "user_edges", "identified_edges"}
ROWS = {"rows_high", "rows_low"}
WITNESSES = {"events", "position_sum", "digest_high", "digest_low"}


PLACES = {
    name: f"timestamptz '{at:%Y-%m-%d %H:%M}+00'"
    for name, at in {
        "first": FIRST,
        "second": SECOND,
        "next": NEXT,
        "empty": EMPTY,
        "newest": NEWEST,
        "fourth": day(4),
    }.items()
}


def also(*fields: Fields) -> Fields:
    """Merge fields by hour."""
    hours = {hour for each in fields for hour in each}
    return {hour: {name for each in fields for name in each.get(hour, ())} for hour in hours}


def of_seal(script: str, *fields: Fields) -> Change:
    """Return a change of SECOND's seal."""
    return Change("update hour_seals set CHANGE where hour = {second}".replace("CHANGE", script), also(*fields))


def of_row(table: str, script: str, *, condition: str = "true", **wrong: Any) -> Change:
    """Return a change of one row of the projection in SECOND's first quarter."""
    one = " where ctid = (select min(ctid) from TABLE where BEGINS = {second} and CONDITION)"
    begins = "hour" if table == "hourly_counts" else "bucket"
    whole = (script + one).replace("TABLE", table).replace("BEGINS", begins)
    return Change(whole.replace("CONDITION", condition), **wrong)


ROWS_BROKEN: dict[str, Any] = {"broken": {SECOND: ROWS}}
SESSIONS_BROKEN: dict[str, Any] = {"broken": {SECOND: ROWS}, "edges": True}
EDGES: dict[str, Any] = {"drifted": {SECOND: {"session_edges"}}}
DOCUMENT: dict[str, Any] = {"drifted": {SECOND: {"document"}}}
UNKNOWN: dict[str, Any] = {"broken": {EMPTY: {"seal_missing"}}}
OF_SESSIONS = "kind = 'session'"
TYPED = "dimension = 'event_type'"
NEXT_QUARTER = (
    "update TABLE set events_00 = events_45, events_15 = events_00, events_30 = events_15, events_45 = events_30"
)
CHANGES = {
    "seal: another shard": of_seal("shard = shard # 1", {SECOND: {"seal_missing"}, THIRD: {"seal_before"}}, DAY_TOTAL),
    "seal: another place": of_seal(
        "sequence = sequence + 64", {SECOND: {"seal", "seal_before"}, THIRD: {"seal_before"}}
    ),
    "seal: another hour": of_seal("hour = {empty}", {SECOND: {"seal_missing"}, EMPTY: {"seal", *ROWS, *WITNESSES}}),
    "seal: a microsecond later": of_seal(
        "hour = hour + interval '1 microsecond'",
        {SECOND: {"seal_missing"}, SECOND + timedelta(microseconds=1): {"seal", *OF_EDGES, *ROWS, *WITNESSES}},
    ),
    "seal: document": of_seal("document = replace(document::text, 'sessions', 'Sessions')::json", {SECOND: {"seal"}}),
    "seal: events": of_seal("events = events # 1", {SECOND: {"seal", "events"}}, DAY_TOTAL),
    **{
        f"seal: {column}": of_seal(f"{column} = {column} + 1", {SECOND: {"seal", column}})
        for column in ("position_sum", "digest_high", "digest_low", "rows_high", "rows_low")
    },
    "seal: code version": of_seal("code_version = code_version || ' '", {SECOND: {"seal"}}),
    "seal: time": of_seal("sealed_at = sealed_at + interval '1 microsecond'", {SECOND: {"seal"}}),
    "seal: hash before": of_seal(
        "previous_hash = set_bit(previous_hash, 7, 1 - get_bit(previous_hash, 7))", {SECOND: {"seal", "seal_before"}}
    ),
    "seal: hash": of_seal(
        "hash = set_bit(hash, 255, 1 - get_bit(hash, 255))", {SECOND: {"seal"}, THIRD: {"seal_before"}}
    ),
    "a seal in the middle was deleted": Change(
        "delete from hour_seals where hour = {second}",
        also({SECOND: {"seal_missing"}, THIRD: {"seal_before"}}, DAY_TOTAL),
    ),
    "the first seal was deleted": Change(
        "delete from hour_seals where sequence = 1",
        also({hour: {"retired_events"} for hour in HOURS[:3]}, {HOURS[0]: {"seal_missing"}, HOURS[1]: {"seal_before"}}),
    ),
    "the newest seal was deleted": Change(
        "delete from hour_seals where hour = {newest}",
        also({hour: {"retired_events"} for hour in HOURS[-3:]}, {NEWEST: {"seal_missing"}}),
    ),
    "all seals were deleted": Change(
        "delete from hour_seals",
        also(
            {hour: {"retired_events", "seal_missing"} for hour in HOURS}, {day(n): {"seal_missing"} for n in range(4)}
        ),
    ),
    "two seals were exchanged": Change(
        """
        update hour_seals set sequence = 1000 where sequence = 5;
        update hour_seals set sequence = 5 where sequence = 6;
        update hour_seals set sequence = 6 where sequence = 1000
        """,
        {SECOND: {"seal", "seal_before"}, THIRD: {"seal", "seal_before"}, NEXT: {"seal_before"}},
    ),
    "a day's total was changed": Change(
        "update retired_days set events = events + 1 where day = ({first} at time zone 'UTC')::date",
        DAY_TOTAL,
        whole=False,
    ),
    "a day's total was deleted": Change(
        "delete from retired_days where day = ({first} at time zone 'UTC')::date", DAY_TOTAL, whole=False
    ),
    "a day's total was moved": Change(
        "update retired_days set day = day - 100 where day = ({first} at time zone 'UTC')::date",
        also(DAY_TOTAL, {FIRST - timedelta(days=100): {"seal_missing", "retired_events"}}),
    ),
    "the total of a day without events was changed": Change(
        "insert into retired_days values (0, ({fourth} at time zone 'UTC')::date, 3, now())",
        {day(4): {"seal_missing", "retired_events"}},
        whole=False,
    ),
    "the shard's total was changed": Change("update shard_totals set compacted = compacted + 1", whole=False),
    "rollups are said to be deleted": Change(
        "update shard_totals set rollups_since = {next}", dict.fromkeys(HOURS[:6], ROWS)
    ),
    "the ledger was changed": Change(
        "update hour_ledger set digest_low = digest_low + 1 where hour = {second}", {SECOND: {"digest_low"}}
    ),
    "the ledger was deleted": Change("delete from hour_ledger where hour = {second}", {SECOND: WITNESSES}),
    "the ledger has an hour more": Change("insert into hour_ledger values (0, {empty}, 1, 1, 1, 1)", **UNKNOWN),
    "a receipt was added": Change(
        "insert into receipts values (0, 1, {second}, 1, 0, 0, 0)", {SECOND: {"events"}}, whole=False
    ),
    "a count was changed": of_row(
        "hourly_counts", "update TABLE set events_00 = events_00 # 1", condition=TYPED, **ROWS_BROKEN
    ),
    "a key was changed": of_row("hourly_counts", "update TABLE set key = key || ' '", condition=TYPED, **ROWS_BROKEN),
    "a count was moved": of_row("hourly_counts", NEXT_QUARTER, condition=TYPED, **ROWS_BROKEN),
    "a count was moved to another hour": of_row(
        "hourly_counts",
        "update TABLE set hour = hour + interval '1 hour'",
        condition=TYPED,
        broken={SECOND: ROWS, SECOND + HOUR: {"seal_missing"}},
    ),
    "a count was deleted": of_row("hourly_counts", "delete from TABLE", condition=TYPED, **ROWS_BROKEN),
    "a count was added": Change(
        "insert into hourly_counts values (0, 1, {second}, 'tool_name', 'y', 0)", **ROWS_BROKEN
    ),
    "a session was changed": of_row("hourly_members", "update TABLE set member = member || ' '", **SESSIONS_BROKEN),
    "a session was deleted": of_row("hourly_members", "delete from TABLE", **SESSIONS_BROKEN),
    "a session was added": Change(
        "insert into hourly_members values (0, 1, {second}, 'y', 'session')", **SESSIONS_BROKEN
    ),
    "an edge was changed": of_row(
        "hourly_edges", "update TABLE set members = members + 1", condition=OF_SESSIONS, **EDGES
    ),
    "an edge was deleted": of_row("hourly_edges", "delete from TABLE", condition=OF_SESSIONS, **EDGES),
    "an edge of users was changed": of_row(
        "hourly_edges",
        "update TABLE set members = members + 1",
        condition="kind = 'user'",
        drifted={SECOND: {"user_edges"}},
    ),
    "an edge was added": Change(
        "insert into hourly_edges values (0, 1, {second} + interval '45 minutes', '-infinity', 2, 'session')", **EDGES
    ),
    "an edge was added between quarters": Change(
        "insert into hourly_edges values (0, 1, {second} + interval '1 minute', '-infinity', 2, 'session')", **EDGES
    ),
    "a document was changed": Change(
        "update hourly_documents set document = replace(document::text, 'sessions', 'Sessions')::json"
        " where hour = {second}",
        **DOCUMENT,
    ),
    "a document's events were changed": Change(
        "update hourly_documents set events = events # 1 where hour = {second}", **DOCUMENT
    ),
    "a document was deleted, and nobody needs it": Change("delete from hourly_documents where hour = {second}"),
    "a count was added to an empty hour": Change(
        "insert into hourly_counts values (0, 1, {empty}, 'tool_name', 'y', 1)", **UNKNOWN
    ),
    "a session was added to an empty hour": Change(
        "insert into hourly_members values (0, 1, {empty}, 's1', 'session')", edges=True, **UNKNOWN
    ),
    "an edge was added to an empty hour": Change(
        "insert into hourly_edges values (0, 1, {empty}, '-infinity', 1, 'session')", **UNKNOWN
    ),
    "a document was added to an empty hour": Change(
        "insert into hourly_documents values (0, 1, {empty}, '{{}}', 1, 1, 1)", **UNKNOWN
    ),
}
CHANGES_OF_DELETED = {
    "a seal was changed": of_seal("code_version = ''", {SECOND: {"seal"}}),
    "all seals of a day were deleted": Change(
        "delete from hour_seals where hour >= {first} and hour < {next}",
        {FIRST: {"seal_missing", "retired_events"}, NEXT: {"seal_before"}},
    ),
    "a day's total was deleted": CHANGES["a day's total was deleted"],
    "a count was added": CHANGES["a count was added"],
    "a session was added": CHANGES["a session was added"],
    "an edge was added": CHANGES["an edge was added"],
    "a document was added": Change("insert into hourly_documents values (0, 1, {second}, '{{}}', 1, 1, 1)", **DOCUMENT),
    "rollups are said to be there": Change(
        "update shard_totals set rollups_since = '-infinity'", dict.fromkeys(HOURS[:6], ROWS | WITNESSES)
    ),
}


async def verified(log: Sharded) -> list[HourProof]:
    """Verify every hour, at a clock when no day is past the horizon."""
    hours = await list_hours(log.database, None, None)
    return [await verify_hour(log.database, hour, clock=day(8)) for hour in hours]


def named(found: list[HourProof], state: str) -> Fields:
    """Return the fields that verify names in the hours of a state."""
    return {p.hour.start: {each.field for each in p.differences} for p in found if p.state == state}


async def judge(log: Sharded, change: Change) -> None:
    """Make a change; assert that verify names exactly its fields, and that a rebuild mends the drift."""
    await log.admin.execute(change.script.format(**PLACES))
    found = await verified(log)
    broken, drifted = named(found, "broken"), named(found, "drifted")
    if change.edges:
        assert {name for fields in drifted.values() for name in fields} <= OF_EDGES
        broken, drifted = {hour: fields - OF_EDGES for hour, fields in broken.items()}, {}
    assert (broken, drifted) == (change.broken, change.drifted)
    assert named(found, "damaged") == {}
    assert all(shard.holds for shard in await conservation(log.database)) == change.whole
    if change.drifted:
        hours = await list_hours(log.database, SECOND, SECOND + HOUR)
        assert [each.outcome async for each in rebuild(log.database, hours)] == [SEALED]
        assert {proof.state for proof in await verified(log)} == {"sealed", "verified"}


async def test_every_change_of_what_was_sealed_is_found_and_named(sealed: Sharded, subtests: pytest.Subtests) -> None:
    assert {proof.state for proof in await verified(sealed)} == {"sealed", "verified"}
    for name, change in CHANGES.items():
        with subtests.test(name):
            async with undone(sealed.admin):
                await judge(sealed, change)
    assert {proof.state for proof in await verified(sealed)} == {"sealed", "verified"}


async def test_what_was_sealed_is_sealed_still_when_its_counts_were_converted(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await fill(log, [event._replace(user_id=None) for event in EVENTS])
    assert [retired.hindrance for retired in await retire(database, 3)] == [None] * 4
    before = await verified(log)
    assert {proof.state for proof in before} == {"sealed", "verified"}
    for _ in list_migrations()[COUNTS_BY_HOUR - 1 :]:
        await rollback(log.url, force=True)
    await migrate(log.url)
    assert await verified(log) == before


async def test_a_rebuild_of_a_range_says_what_it_cannot_mend(sealed: Sharded) -> None:
    await sealed.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", day(1))
    rebuilt = await run(sealed.url, "rebuild", "--from", f"{day(1):%Y-%m-%d}", "--to", f"{day(2):%Y-%m-%d}")
    assert (rebuilt.code, rebuilt.output.splitlines()) == (
        1,
        [
            f"{day(1):%Y-%m-%d}T00:00Z shard 0: not rebuilt: what was sealed is broken; see make verify",
            "rebuild of hourly: 3 hours, 16 events: 0 hours changed, 1 not rebuilt, 2 sealed",
        ],
    )


async def test_changes_are_found_when_the_rollups_are_deleted(sealed: Sharded, subtests: pytest.Subtests) -> None:
    assert await retire(sealed.database, 3, rollup_days=9) == []
    assert await sealed.admin.fetchval("select min(hour) from hourly_counts") == NEXT
    for name, change in CHANGES_OF_DELETED.items():
        with subtests.test(name):
            async with undone(sealed.admin):
                await judge(sealed, change)
    assert {proof.state for proof in await verified(sealed)} == {"sealed", "verified"}


async def test_a_seal_that_was_changed_before_its_day_was_dropped_keeps_the_day(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = Sharded(database_url, 1, database, admin)
    await fill(log, EVENTS)
    await admin.execute("begin; lock table events in access share mode")
    (kept,) = await retire(database, 0)
    await admin.execute("commit")
    assert (kept.hindrance, kept.failed) == ("canceling statement due to lock timeout", False)
    await admin.execute("update hour_seals set events = events + 1 where sequence = 2")
    assert named(await verified(log), "broken") == {day(0) + 7 * HOUR: {"seal", "events"}}
    (kept,) = await retire(database, 0)
    assert (kept.hindrance, kept.failed) == ("hour 07:00 of shard 0 is broken", True)
    assert dict(await database.only(database.statements.count_overdue_days)) == {"days": 1}
    await admin.execute("update hour_seals set events = events - 1 where sequence = 2")
    (dropped,) = await retire(database, 0)
    assert dropped.hindrance is None
    assert dict(await database.only(database.statements.count_overdue_days)) == {"days": 0}


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

    right = (0, ["seal-head: 1 heads in the copy, 0 not in the chains"])
    assert await check() == right
    await retire(sealed.database, 9)
    # An old copy of the heads is still part of the chains.
    assert (await seals.seal_heads(sealed.database))[0].sequence > 12
    assert await check() == right
    wrong = f"shard 0: broken: seal 12 of {head.hour} is not what the copy says"
    async with undone(sealed.admin):
        await sealed.admin.execute(FORGE)
        assert {proof.state for proof in await verified(sealed)} == {"sealed"}
        assert await check() == (1, [wrong, "seal-head: 1 heads in the copy, 1 not in the chains"])
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
        seals.read_heads([json.dumps(GOOD).encode() + b"\n", b"\n", line])
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
