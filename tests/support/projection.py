"""Fold, read, verify and rebuild the projection `hourly`; rows have the oracle's types."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from projections.hours import list_hours
from projections.rebuild import RebuiltHour, rebuild
from projections.verify import HourProof, verify
from service.ingest.event import Event
from sql.database import Database
from tests.support import oracle
from tests.support.log import NOW, an_event
from tests.support.oracle import QUARTER

# Three days back, so that every test event lies within the days that accept events.
START = NOW.replace(minute=0, second=0) - timedelta(days=3)
# Stored counts: one array of four quarters for each hour and key.
COUNTS = "select hour, dimension, key, array[events_00, events_15, events_30, events_45] from hourly_counts"
MEMBERS = "select bucket, kind, member from hourly_members"
EDGES = "select kind, bucket, nullif(previous, '-infinity'), members from hourly_edges"
# Measures of a fresh read that describe the read itself.
BESIDES = ("position", "lag_events", "document_events", "document_sessions", "rollups_since")
PLACES = [timedelta(0), timedelta(microseconds=1), timedelta(minutes=7), QUARTER - timedelta(microseconds=1)]
MODES = ('{"risk_mode": "high"}', '{"risk_mode": "low", "x": 1}', '{"risk_mode": 3}', '{"other": true}', None)


def random_events(seed: int, count: int, *, hours: int = 24, sessions: int = 20) -> list[Event]:
    """Return events in random order, many on the borders of quarters, some of them twice."""
    chance = random.Random(seed)
    events = [
        an_event(
            number,
            at=START + chance.randrange(hours * 4) * QUARTER + chance.choice(PLACES),
            session=f"s{chance.randrange(sessions)}",
            kind=chance.choice(["page_viewed", "risk_mode_changed"]),
            tool=chance.choice(["Home", "Search", None]),
            properties=chance.choice(MODES),
            user=chance.choice(["u1", "u2", "u3", None, None]),
        )
        for number in range(count)
    ]
    return events + chance.sample(events, count // 20)


def in_batches(events: Sequence[Event], seed: int) -> Iterator[Sequence[Event]]:
    """Cut events into batches of 1, 2, 7 or 30."""
    chance = random.Random(seed)
    place = 0
    while place < len(events):
        size = chance.choice([1, 2, 7, 30])
        yield events[place : place + size]
        place += size


async def fold(database: Database, *, shard: int = 0, limit: int = 50_000) -> tuple[int, int] | None:
    """Fold once; return the checkpoint before and after, or None when another projector holds it."""
    rows = await database.rows(database.statements.fold_hourly, shard, 1, limit)
    return (rows[0]["folded_after"], rows[0]["folded_upto"]) if rows else None


def by_quarter(counts: Sequence[asyncpg.Record]) -> oracle.Counts:
    """Convert rows of COUNTS to counts by quarter of an hour."""
    quarters = {
        (hour + number * QUARTER, dimension, key): events
        for hour, dimension, key, quarters in counts
        for number, events in enumerate(quarters)
        if events
    }
    return oracle.Counts(quarters)


async def folded(admin: asyncpg.Connection, *, shard: int = 0) -> oracle.Rows:
    """Return the stored rows of the projection."""
    counts = await admin.fetch(f"{COUNTS} where shard = $1", shard)
    members = await admin.fetch(f"{MEMBERS} where shard = $1", shard)
    edges = await admin.fetch(f"{EDGES} where shard = $1", shard)
    return oracle.Rows(by_quarter(counts), in_kinds(members), by_edge(edges))


def in_kinds(members: Sequence[asyncpg.Record]) -> oracle.Members:
    """Convert rows of MEMBERS to the oracle's type."""
    return {(bucket, kind, member) for bucket, kind, member in members}


def by_edge(edges: Sequence[asyncpg.Record]) -> oracle.Edges:
    """Convert rows of EDGES to the oracle's type."""
    return oracle.Edges({(kind, bucket, previous): number for kind, bucket, previous, number in edges})


async def fresh(database: Database, since: datetime, until: datetime, *, shard: int = 0) -> oracle.Fresh:
    """Return a fresh read without the rows about its freshness; documents count as the rows they stand for."""
    rows = await database.rows(database.statements.read_hourly, shard, since, until, None)
    documents = [row for row in rows if row["measure"] == "document"]
    measured = {(row["measure"], row["hour"], row["key"]): row["amount"] for row in rows if row not in documents}
    found = oracle.Fresh({name: amount for name, amount in measured.items() if name[0] not in BESIDES})
    for row in documents:
        found += in_measures(row["hour"], json.loads(row["key"]))
    assert measured["document_events", None, None] == sum(json.loads(row["key"])["total_events"] for row in documents)
    return found


def in_measures(hour: datetime, document: dict[str, Any]) -> oracle.Fresh:
    """Convert a document to rows of a fresh read."""
    kinds = {"event_counts": "event_type", "tool_usage": "tool_name", "risk_distribution": "risk_mode"}
    found = oracle.Fresh({("sessions", hour, None): document["unique_sessions"]})
    for kind, measure in kinds.items():
        found.update({(measure, hour, key): events for key, events in document[kind].items()})
    assert document["hour"] == f"{hour:%Y-%m-%dT%H:%M:%S}.000Z"
    assert document["total_events"] == sum(document["event_counts"].values())
    return found


async def another_round(*rounds: asyncio.Event) -> None:
    """Wait until each loop that sets one of these events has completed another round, however slow it is."""
    for each in rounds:
        each.clear()
    for each in rounds:
        await each.wait()


async def proofs(database: Database) -> list[HourProof]:
    """Verify every hour."""
    return [proof async for proof in verify(database, await list_hours(database, None, None))]


async def rebuilt(database: Database) -> list[RebuiltHour]:
    """Rebuild every hour."""
    return [hour async for hour in rebuild(database, await list_hours(database, None, None))]


async def fold_some(database: Database, limit: int) -> bool:
    after, upto = await fold(database, limit=limit) or (0, 0)
    return after != upto
