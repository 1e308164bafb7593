"""A log whose projection is rebuilt as the next version."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from projections import versions
from projections.hours import list_hours, live_versions
from projections.projector import catch_up, step, tidy
from projections.retention import retain
from projections.verify import HourProof, verify
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from sql.database import Database
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import append
from tests.support.oracle import HOUR
from tests.support.projection import (
    COUNTS,
    EDGES,
    MEMBERS,
    START,
    by_edge,
    by_quarter,
    fresh,
    in_kinds,
    random_events,
)

TABLES = ("hourly_counts", "hourly_members", "hourly_edges", "hourly_documents", "hourly_fills", "hour_proofs")
OF = "{} where shard = $1 and version = $2"
NUMBER = "select count(*) from {} where version = $1"
HOURS = 30
UNTIL = START + HOURS * HOUR
A_DAY_LATER = timedelta(hours=25)


@dataclass
class Log:
    """A log in one shard or eight, and the events that were acked."""

    database: Database
    admin: asyncpg.Connection
    shards: int
    acked: dict[str, Event] = field(default_factory=dict)

    async def append(self, events: list[Event]) -> None:
        for shard in range(self.shards):
            if some := [event for event in events if shard_of(event.session_id, self.shards) == shard]:
                await append(self.database, some, shard=shard)
                self.acked |= {event.event_id: event for event in some}

    async def fill(self, seed: int, count: int = 120, *, hours: int = 5) -> None:
        """Append random events in four parts, compact receipts after each part, and fold the first two parts."""
        events = [
            event._replace(event_id=f"{seed}_{event.event_id}") for event in random_events(seed, count, hours=hours)
        ]
        for place in range(0, count, count // 4):
            await self.append(events[place : place + count // 4])
            await tidy(self.database, RETENTION_DAYS)
            if place < count // 2:
                await step(self.database)

    def of_shard(self, shard: int) -> list[Event]:
        return [event for event in self.acked.values() if shard_of(event.session_id, self.shards) == shard]

    async def read(self, since: datetime = START, until: datetime = UNTIL) -> oracle.Fresh:
        """Return a fresh read of all shards."""
        found = [await fresh(self.database, since, until, shard=shard) for shard in range(self.shards)]
        return sum(found, oracle.Fresh())

    def expected(self) -> oracle.Fresh:
        whole = [oracle.fresh(self.of_shard(shard), START, UNTIL) for shard in range(self.shards)]
        return sum(whole, oracle.Fresh())

    async def rows(self, version: int, shard: int) -> oracle.Rows:
        """Return the stored rows of a version."""
        counts, members, edges = [
            await self.admin.fetch(OF.format(query), shard, version) for query in (COUNTS, MEMBERS, EDGES)
        ]
        return oracle.Rows(by_quarter(counts), in_kinds(members), +by_edge(edges))

    async def is_right(self, *of: int) -> None:
        """Fold all; assert that the rows of these versions are the oracle's."""
        await catch_up(self.database)
        for shard in range(self.shards):
            for version in of:
                assert await self.rows(version, shard) == oracle.rows(self.of_shard(shard))

    async def left(self, version: int) -> dict[str, int]:
        """Return how many rows of a version each table has, without the tables that have none."""
        numbers = {table: await self.admin.fetchval(NUMBER.format(table), version) for table in TABLES}
        return {table: number for table, number in numbers.items() if number}


async def filled(database: Database) -> int:
    """Begin a version, or continue one, and fill it; return its number."""
    version = await versions.begin(database)
    async for _ in versions.fill(database, version):
        pass
    return version


async def proven(database: Database) -> tuple[int, list[HourProof]]:
    version = await filled(database)
    return version, [proof async for proof in versions.prove(database, version)]


async def rebuild_all(database: Database) -> list[HourProof]:
    version, proofs = await proven(database)
    await versions.switch(database, version, proofs)
    return proofs


async def live(database: Database) -> int:
    (version,) = set((await live_versions(database)).values())
    return version


async def verified(database: Database) -> Counter[str]:
    """Verify every hour; return the number of hours in each state."""
    return Counter([proof.state async for proof in verify(database, await list_hours(database, None, None))])


async def seal_first_day(log: Log) -> None:
    """Retire the day of START and no later day."""
    days = [day async for day in retain(log.database, Retention(2, 90, 2))]
    assert [(day.hindrance, day.events > 0) for day in days if day.events] == [(None, True)]
