"""A person is erased from rows, from days that only the archive has, and from rollups, as if never there."""

from __future__ import annotations

import json

import asyncpg
import pytest

from projections.conservation import conservation
from projections.erasing.checking import chain_breaks, what_is_wrong
from projections.erasing.erasure import Refused
from projections.erasing.finding import Unreadable
from projections.erasing.person import everything
from tests.conftest import RETENTION_DAYS
from tests.support.archive import files_of
from tests.support.erasing import KEY, begun, erase_from, send_again, session, user, where_it_is, without, work_on
from tests.support.history import Past, date_of, history_of
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.retired_days import EVENTS, day, of_day, past, retire

EDGES = """
select shard, version, kind, bucket, previous, members from hourly_edges where bucket < $1 order by 1, 2, 3, 4, 5
"""
ALL_EDGES = EDGES.replace("$1", "'infinity'")
COUNTED = "select count(*), count(distinct session_id), count(distinct user_id) from events"
LEDGER = """
select h.shard, a.hour, a.events
from log_heads as h, appended_hours(h.shard, '-infinity', 'infinity') as a
order by 1, 2
"""
# By hand, an erasure of one user, in whose name another one's events are deleted.
BY_HAND = """
insert into erasures (erasure, site, kind, subject, mode, sessions, requested_at)
values (1, 0, 'user', sha256(''), 'delete', 'all', now());
insert into erasing (erasure, kind, id) values (1, 'user', 'u1');
insert into erasure_steps (shard, sequence, erasure, day)
select shard, 1000, 1, max(timestamp at time zone 'UTC')::date from events where user_id = 'u2' group by shard;
delete from events where user_id = 'u2' and (timestamp at time zone 'UTC')::date = (select max(day) from erasure_steps)
"""


@pytest.mark.parametrize("named", [True, False])
async def test_a_user_is_erased_from_rows(past_days: Past, *, named: bool) -> None:
    """Day 9 still takes events; days 0 to 3 are before the horizon, so they are closed as days of the archive."""
    left = without(EVENTS, user("u1"), named=named)
    gone = [event for event in EVENTS if event not in left]
    certificate = await erase_from(past_days, user("u1"), named=named)
    assert certificate["events"] == len(gone)
    await past_days.check()
    assert await where_it_is(past_days.log.admin, past_days.archive, "u1") == []
    sums = await conservation(past_days.log.database)
    assert sum(shard.erased for shard in sums) == len(gone)
    assert sum(shard.stored for shard in sums) == len(EVENTS)
    assert await chain_breaks(past_days.log.database) == []
    assert await what_is_wrong(past_days.log.database, past_days.archive, certificate, KEY) == []


async def test_an_outbox_that_sends_again_brings_nobody_back(past_days: Past) -> None:
    today = of_day(9, EVENTS)
    await erase_from(past_days, user("u1"), named=True)
    gone = [event for event in today if event not in past_days.events]
    assert gone
    assert await send_again(past_days.log.database, gone, past_days.log.shards, past_days.log) == {"duplicate"}
    judged = await past_days.log.database.rows(
        past_days.log.database.statements.judge_events,
        *(past_days.log.shard_of(gone[0].session_id), RETENTION_DAYS, past(4)),
        *([gone[0].event_id], [gone[0].session_id], [gone[0].timestamp]),
    )
    assert [row["outcome"] for row in judged] == ["duplicate"]
    # Another event at the same time, and the same id at another time, are no tombstone's.
    new = [gone[0]._replace(event_id="evt_new", user_id=None, session_id="new")]
    new.append(gone[0]._replace(timestamp=gone[0].timestamp + HOUR / 60, user_id=None, session_id="new"))
    assert await send_again(past_days.log.database, new, past_days.log.shards, past_days.log) == {"stored"}
    past_days.events += new
    await past_days.check()


async def test_kept_days_get_new_files(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.bring_in(2, history_of(2))
    await past_days.drop_tables()
    await past_days.check()
    await erase_from(past_days, user("u1"), named=True)
    await past_days.check()
    assert await where_it_is(past_days.log.admin, past_days.archive, "u1") == []
    await past_days.drop_tables()
    await past_days.check()
    assert len(await past_days.in_files(0)) == len(of_day(0, past_days.events))
    # History that still holds the person stores nothing of it.
    again = [event for event in history_of(0) if event.user_id == "u1"]
    assert set((await past_days.bring_in(0, again)).values()) == {"duplicate"}
    await past_days.check()


async def test_days_whose_events_are_gone_keep_their_numbers(past_days: Past) -> None:
    await past_days.keep_for(RETENTION_DAYS)
    await retire(past_days.log.database, 2, grace_days=0)
    await past_days.log.admin.execute("update leaving_days set until = '-infinity'")
    await past_days.drop_tables()
    before = await past_days.log.admin.fetch(EDGES, day(3))
    certificate = await erase_from(past_days, user("u1"), named=True)
    assert certificate["renamed_rows"] > 0
    after = await past_days.log.admin.fetch(EDGES, day(3))
    assert list(map(tuple, after)) == list(map(tuple, before))
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []
    assert await where_it_is(past_days.log.admin, past_days.archive, "u1") == []
    # Who gives a member yet another name is found.
    await past_days.log.admin.execute(
        "update hourly_members set member = member || 'x' where kind = 'user' and bucket < $1", day(2)
    )
    assert "broken" in {proof.state for proof in await past_days.proofs()}


@pytest.mark.versions("newest")
async def test_a_session_that_names_others(past_days: Past) -> None:
    mine = [
        an_event(9_000 + place, at=day(9) + place * HOUR, session=where, user=who)
        for place, (where, who) in enumerate(
            [("mine", None), ("mine", "me"), ("shared", None), ("shared", "me"), ("shared", "other")]
        )
    ]
    await send_again(past_days.log.database, mine, past_days.log.shards, past_days.log)
    past_days.events += mine
    found = await work_on(past_days, user("me"), named=True).look()
    assert found.shared == {"shared": 1}
    assert sum(place.events for place in found.places) == 3
    await erase_from(past_days, user("me"), named=True)
    await past_days.check()
    left = await everything(work_on(past_days, session("shared")))
    assert [event["user_id"] for event in left["events"]] == [None, "other"]
    await erase_from(past_days, session("shared"))
    await past_days.check()


async def test_a_stranger_takes_the_place(past_days: Past) -> None:
    numbers = (LEDGER, ALL_EDGES)
    before = [tuple(row) for query in numbers for row in await past_days.log.admin.fetch(query)]
    today = f"{COUNTED} where timestamp >= '{day(9):%Y-%m-%d}'"
    counted = await past_days.log.admin.fetchrow(today)
    await erase_from(past_days, user("u1"), keep_counts=True)
    assert [tuple(row) for query in numbers for row in await past_days.log.admin.fetch(query)] == before
    assert await past_days.log.admin.fetchrow(today) == counted
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []
    sums = await conservation(past_days.log.database)
    assert all(shard.holds and shard.erased == 0 for shard in sums)
    assert await where_it_is(past_days.log.admin, past_days.archive, "u1") == []


async def test_the_log_lets_nothing_else_go(past_days: Past) -> None:
    connection = await asyncpg.connect(past_days.log.url)
    try:
        for statement in ("delete from events", "delete from events where user_id = 'u1'", BY_HAND):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await connection.execute(statement)
    finally:
        await connection.close()
    await past_days.check()


async def test_a_damaged_day_waits(past_days: Past) -> None:
    damaged = next(event for event in of_day(9, EVENTS) if event.user_id == "u1")
    await past_days.log.admin.execute("update events set action = 'x' where event_id = $1", damaged.event_id)
    outcome = await begun(work_on(past_days, user("u1")))
    assert list(outcome.waits)[:1] == [date_of(9).isoformat()]
    with pytest.raises(Refused, match="begun with other options"):
        await begun(work_on(past_days, user("u1"), named=True))
    await past_days.log.admin.execute("update events set action = null where event_id = $1", damaged.event_id)
    certificate = await erase_from(past_days, user("u1"))
    assert certificate["events"] == len(EVENTS) - len(past_days.events)
    await past_days.check()


async def test_what_is_stored_about_a_person(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    expected = [event for event in past_days.events if event not in without(past_days.events, user("u9"))]
    found = await everything(work_on(past_days, user("u9")))
    assert sorted(event["event_id"] for event in found["events"]) == sorted(event.event_id for event in expected)
    assert {each["session_id"] for each in found["sessions"]} == {event.session_id for event in expected}
    assert json.dumps(found["first_seen"])


@pytest.mark.parametrize("sharded", [1], indirect=True, ids=["1 shard"])
async def test_another_site_has_another_person_of_that_id(past_days: Past) -> None:
    log = past_days.log
    await log.database.only(log.database.statements.add_site, "blog", "UTC", [], 1)
    await log.admin.execute("update log_heads set horizon = $1", day(5))
    theirs = [an_event(8_000, at=day(9) + HOUR, session="s1", user="u1")]
    assert await append(log.database, theirs, shard=1, clock=past(4)) == {}
    await erase_from(past_days, user("u1"), named=True)
    named = "select shard, event_id from events where user_id = 'u1'"
    assert [tuple(row) for row in await log.admin.fetch(named)] == [(1, "evt_8000")]
    # What is erased on one site can be sent to the other.
    gone = next(event for event in of_day(9, EVENTS) if event not in past_days.events)
    assert await append(log.database, [gone], shard=1, clock=past(4)) == {}
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []


@pytest.mark.parametrize("sharded", [1], indirect=True, ids=["1 shard"])
async def test_a_day_whose_file_cannot_be_read_waits(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    (file,) = (past_days.archive / name for name in files_of(past_days.archive) if name.endswith(".parquet"))
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(b"no parquet")
    outcome = await begun(work_on(past_days, user("u9"), vacuums=False))
    assert date_of(0).isoformat() in outcome.waits
    with pytest.raises(Unreadable):
        await everything(work_on(past_days, user("u9")))
    file.write_bytes(content)
    await erase_from(past_days, user("u9"), vacuums=False)
    await past_days.check()
