"""Hours that are due for verification, and the documents of verified hours."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import asyncpg

from projections.due_hours import verify_due
from service.ingest.event import Event
from sql.database import Database
from tests.support import oracle
from tests.support.oracle import HOUR, start_of
from tests.support.projection import START

MINUTE = timedelta(minutes=1)
NEXT, LAST = START + HOUR, START + 3 * HOUR
# Exactly the hours up to LAST are over at this moment.
CLOSED = START + 4 * HOUR
Due = list[tuple[int, datetime, str]]


async def due(database: Database, clock: datetime) -> Due:
    """Verify due hours until none is left; return (shard, hour, state) of each, in order."""
    found: Due = []
    while proofs := await verify_due(database, clock=clock):
        found += [(proof.hour.shard, proof.hour.start, proof.state) for proof in proofs]
    return found


async def documents(admin: asyncpg.Connection, shard: int = 0) -> dict[datetime, tuple[str, int, int, int]]:
    rows = await admin.fetch(
        "select hour, document::text, events, sessions, keys from hourly_documents where shard = $1", shard
    )
    return {hour: tuple(rest) for hour, *rest in rows}


def document(events: list[Event], hour: datetime) -> tuple[str, int, int, int]:
    """Return the exact text of an hour's document, its events, its sessions, and the keys of its largest dimension."""
    inside = [event for event in events if start_of(event.timestamp, HOUR) == hour]
    kinds: dict[str, Counter[str]] = {dimension: Counter() for dimension in oracle.DIMENSIONS}
    for event in inside:
        for dimension, key in oracle.keys(event):
            kinds[dimension][key] += 1
    sessions = len({event.session_id for event in inside})
    parts = [
        json.dumps(
            dict(sorted(kind.items(), key=lambda item: (-item[1], item[0].encode()))),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for kind in kinds.values()
    ]
    text = (
        f'{{"hour":"{hour:%Y-%m-%dT%H:%M:%S}.000Z","event_counts":{parts[0]},"tool_usage":{parts[1]},'
        f'"risk_distribution":{parts[2]},"unique_sessions":{sessions},"total_events":{len(inside)}}}'
    )
    return text, len(inside), sessions, max(len(kind) for kind in kinds.values())
