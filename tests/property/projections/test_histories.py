"""Any history of appends, folds, compactions, rebuilds and restarts ends with the counts of the oracle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.hours import Hour
from projections.projector import catch_up, step
from projections.rebuild import REBUILT, rebuild_hour
from projections.verify import conservation
from service.ingest.appender import shard_of
from service.ingest.event import Event
from sql.database import Database
from tests.support import oracle
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import MODES, PLACES, START, folded, fresh, proofs
from tests.support.sent_events import examples

HOURS = 5
RANGES = [(START + a * HOUR, START + b * HOUR) for a in range(HOURS) for b in range(a + 1, HOURS + 1)]
RESET = """
delete from events; delete from receipts; delete from hour_ledger; delete from hour_proofs;
delete from hourly_counts; delete from hourly_members; delete from hourly_edges; delete from hourly_documents;
delete from checkpoints; delete from shard_totals; delete from log_heads
"""
MAKE_SHARDS = """
with heads as (insert into log_heads (shard) select * from generate_series(0, $1::integer - 1) returning shard)
insert into checkpoints (shard, projection, version) select shard, 'hourly', 1 from heads
"""
LOSE = """
delete from hourly_counts where hour = {start};
delete from hourly_members where hour_of(bucket) = {start};
delete from hourly_edges where hour_of(bucket) = {start}
"""
# Events in the rollups plus events in the tail, over all shards.
ALL_COUNTED = """
select
    (
        select coalesce(sum(events_00 + events_15 + events_30 + events_45), 0)::bigint
        from hourly_counts
        where dimension = 'event_type'
    )
    + (select coalesce(sum(lag_events), 0)::bigint from ({}) as checkpoints)
"""
DISTINCT = """
select r.since, r.until, sum(h.amount)::integer
from unnest($1::timestamptz[], $2::timestamptz[]) as r (since, until), log_heads as l
cross join lateral read_hourly(l.shard, r.since, r.until) as h
where h.measure = 'distinct_sessions'
group by r.since, r.until
"""
WITNESSED = """
select l.shard, h.hour, a.events, a.digest_high, a.digest_low
from unnest($1::timestamptz[]) as h (hour), log_heads as l, lateral appended(l.shard, h.hour) as a
order by 1, 2
"""

# Few ids, sessions and hours, so that duplicates, ids of other sessions and late events are common.
sent = st.builds(
    lambda number, quarter, place, session, kind, tool, mode, user: an_event(
        number, at=START + quarter * QUARTER + place, session=session, kind=kind, tool=tool, properties=mode, user=user
    ),
    *(st.integers(0, 30), st.integers(0, HOURS * 4 - 1), st.sampled_from(PLACES), st.sampled_from("abcd")),
    *(st.sampled_from(["page_viewed", "risk_mode_changed"]), st.sampled_from(["Home", None]), st.sampled_from(MODES)),
    st.sampled_from([None, None, "x", "y", "z"]),
)
batches = st.lists(sent, min_size=1, max_size=12)
steps = st.one_of(
    *[st.tuples(st.just("append"), batches)] * 4,
    *[st.tuples(st.just("project"), st.integers(1, 20))] * 2,
    st.tuples(st.just("compact"), st.none()),
    st.tuples(st.just("rebuild"), st.integers(0, HOURS - 1)),
    st.tuples(st.just("lose_and_rebuild"), st.integers(0, HOURS - 1)),
    st.tuples(st.just("verify"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


class History:
    """The product and the oracle side by side; each step happens to both."""

    def __init__(self, url: str, admin: asyncpg.Connection, database: Database, shards: int) -> None:
        self.database = database
        self.logs = [oracle.Log() for _ in range(shards)]
        self.url = url
        self.admin = admin

    async def append(self, batch: list[Event]) -> None:
        for shard, log in enumerate(self.logs):
            of_shard = [each for each in batch if shard_of(each.session_id, len(self.logs)) == shard]
            if of_shard:
                assert await append(self.database, of_shard, shard=shard) == log.append(of_shard)

    async def project(self, limit: int) -> None:
        await step(self.database, limit=limit)

    async def compact(self, _: None) -> None:
        for shard in range(len(self.logs)):
            await self.database.only(self.database.statements.compact_receipts, shard)

    async def rebuild(self, hour: int) -> None:
        for shard in range(len(self.logs)):
            rebuilt = await rebuild_hour(self.database, Hour(shard, 1, START + hour * HOUR, 0))
            assert (rebuilt.outcome, rebuilt.rows_written) == (REBUILT, 0)

    async def lose_and_rebuild(self, hour: int) -> None:
        await self.admin.execute(LOSE.format(start=f"timestamptz '{START + hour * HOUR:%Y-%m-%d %H:%M}+00'"))
        for shard in range(len(self.logs)):
            await rebuild_hour(self.database, Hour(shard, 1, START + hour * HOUR, 0))

    async def verify(self, _: None) -> None:
        assert {proof.state for proof in await proofs(self.database)} <= {"verified"}

    async def restart(self, _: None) -> None:
        await self.database.close()
        self.database = Database(self.url, connections=2)

    async def check_sum(self) -> None:
        """Assert that rollups and tail together count every event of the log."""
        counted = await self.admin.fetchval(ALL_COUNTED.format(self.database.statements.list_lags), "hourly")
        assert counted == sum(len(log.events) for log in self.logs)

    async def check_all(self) -> None:
        """Assert that stored rows, fresh reads and distinct sessions are the oracle's, and that every hour verifies."""
        for shard, log in enumerate(self.logs):
            found = await fresh(self.database, START, START + HOURS * HOUR, shard=shard)
            assert found == oracle.fresh(log.events, START, START + HOURS * HOUR)
        await catch_up(self.database)
        for shard, log in enumerate(self.logs):
            assert await folded(self.admin, shard=shard) == oracle.rows(log.events)
        stored = [each for log in self.logs for each in log.events]
        distinct = await self.admin.fetch(DISTINCT, [since for since, _ in RANGES], [until for _, until in RANGES])
        assert {(since, until): n for since, until, n in distinct} == {
            pair: oracle.distinct(stored, *pair) for pair in RANGES
        }
        await self.verify(None)
        assert all(shard.holds for shard in await conservation(self.database))
        # The same reads now use the documents that the verification wrote.
        for shard, log in enumerate(self.logs):
            found = await fresh(self.database, START, START + HOURS * HOUR, shard=shard)
            assert found == oracle.fresh(log.events, START, START + HOURS * HOUR)


# The last history of each database. A new connection plans every statement anew, which takes longer than an example.
_last: dict[str, History] = {}


@asynccontextmanager
async def history(url: str, shards: int) -> AsyncIterator[History]:
    """Give an empty log; emptying the database of the example before is faster than making another one."""
    last = _last.get(url)
    admin = last.admin if last else await asyncpg.connect(url)
    await admin.execute(f"set session_replication_role = replica; {RESET}")
    await admin.execute(MAKE_SHARDS, shards)
    _last[url] = History(url, admin, last.database if last else Database(url, connections=2), shards)
    yield _last[url]


async def leave(url: str) -> None:
    """Close the connections to a database."""
    if last := _last.pop(url, None):
        await last.database.close()
        await last.admin.close()


@given(st.sampled_from([1, 8]), st.lists(steps, min_size=3, max_size=25))
@settings(examples(50), print_blob=True)
async def test_any_history_ends_with_a_brute_force_count(
    database_url: str, shards: int, taken: list[tuple[str, object]]
) -> None:
    async with history(database_url, shards) as both:
        for name, argument in taken:
            await getattr(both, name)(argument)
            await both.check_sum()
        await both.check_all()


@given(st.data(), st.lists(sent, max_size=40, unique_by=lambda each: (each.event_id, each.timestamp)))
@settings(examples(25), print_blob=True)
async def test_the_order_of_arrival_changes_no_digest_and_no_rollup(
    database_url: str, data: st.DataObject, events: list[Event]
) -> None:
    """Two shards get the same events in different orders, some twice, with folds at different places."""
    async with history(database_url, 2) as both:
        for shard in (0, 1):
            repeated = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
            for each in data.draw(st.permutations([*events, *repeated])):
                await append(both.database, [each], shard=shard)
                if data.draw(st.integers(0, 3)) == 0:
                    await step(both.database, limit=3)
        await catch_up(both.database)
        assert await folded(both.admin, shard=0) == await folded(both.admin, shard=1) == oracle.rows(events)
        hours = [START + hour * HOUR for hour in range(HOURS)]
        witnessed = [tuple(row) for row in await both.admin.fetch(WITNESSED, hours)]
        assert [row[1:] for row in witnessed[:HOURS]] == [row[1:] for row in witnessed[HOURS:]]
        assert sum(row[2] for row in witnessed) == 2 * len(events)
