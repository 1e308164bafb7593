"""A history of appends, folds, compactions, rebuilds and restarts, beside the oracle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from projections.conservation import conservation
from projections.hours import Hour
from projections.projector import catch_up, step
from projections.rebuild import REBUILT, rebuild_hour
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from service.reports.raw_events import RawEvents
from sql.database import Database
from tests.support import oracle
from tests.support.engines import InProcess
from tests.support.log import append
from tests.support.oracle import HOUR
from tests.support.projection import START, folded, fresh, proofs
from tests.support.reads import Reads, reads_on

HOURS = 5
RANGES = [(START + a * HOUR, START + b * HOUR) for a in range(HOURS) for b in range(a + 1, HOURS + 1)]
RESET = """
delete from events; delete from receipts; delete from hour_ledger; delete from hour_proofs;
delete from hourly_counts; delete from hourly_members; delete from hourly_edges; delete from hourly_documents;
delete from checkpoints; delete from shard_totals; delete from site_shards; delete from log_heads;
delete from admitted_names; delete from refused_names
"""
MAKE_SHARDS = """
with heads as (insert into log_heads (shard) select * from generate_series(0, $1::integer - 1) returning shard),
sited as (insert into site_shards (shard, site) select shard, 0 from heads)
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


class History:
    """The product and the oracle side by side; each step happens to both."""

    def __init__(
        self, url: str, admin: asyncpg.Connection, database: Database, raw_events: RawEvents, shards: int
    ) -> None:
        self.database = database
        self.logs = [oracle.Log() for _ in range(shards)]
        self.url = url
        self.admin = admin
        self.raw_events = raw_events

    @property
    def reads(self) -> Reads:
        """The service's reads of this log, at the time NOW."""
        return reads_on(self.database, self.raw_events)

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
        counted = await self.admin.fetchval(ALL_COUNTED.format(self.database.statements.list_lags), "hourly", None)
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


# The last history of each database. A new connection plans every statement again, which takes longer than an example.
_last: dict[str, History] = {}


@asynccontextmanager
async def history(url: str, shards: int) -> AsyncIterator[History]:
    """Give an empty log. Emptying the previous example's database is faster than making another one."""
    last = _last.get(url)
    admin = last.admin if last else await asyncpg.connect(url)
    database = last.database if last else Database(url, connections=2)
    raw_events = last.raw_events if last else RawEvents(url, InProcess(url))
    await admin.execute(f"set session_replication_role = replica; {RESET}")
    await admin.execute(MAKE_SHARDS, shards)
    _last[url] = History(url, admin, database, raw_events, shards)
    yield _last[url]


async def leave(url: str) -> None:
    """Close the connections to a database."""
    if last := _last.pop(url, None):
        await last.raw_events.close()
        await last.database.close()
        await last.admin.close()


async def grown(both: History, batches: list[tuple[list[Event], int]]) -> list[Event]:
    """Append batches and fold part of the tail after each; return the stored events."""
    for batch, limit in batches:
        await both.append(batch)
        if limit:
            await step(both.database, limit=limit)
    return [event for log in both.logs for event in log.events]
