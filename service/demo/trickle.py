"""Stores the events of a demo's visitors while the demo runs: each when it happens.

It appends like an import, because the events say what only the service may say about visitors, such as their country.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf

import structlog

from service.imports.targets import Log, storing
from service.ingest.disk_guard import guard_of
from service.ingest.event import Event
from service.ingest.outcomes import DUPLICATE, STORED
from service.settings import Settings
from sql.database import Database

# Skip an event that was due longer ago, because the machine slept or the database was away.
MISSED_SECONDS = 60.0

log = structlog.get_logger(__name__)


async def trickle(settings: Settings, url: str, events: Iterable[tuple[datetime, Event]]) -> None:
    """Store each event when it is due. While the database is away, wait for it."""
    database = Database(url, connections=1)
    disk = guard_of(url, settings.data_dir)
    try:
        async with storing(Log(database, settings.log_days, patience=inf, disk=disk)) as target:
            for due, event in events:
                wait = (due - datetime.now(UTC)).total_seconds()
                if wait < -MISSED_SECONDS:
                    continue
                await asyncio.sleep(max(wait, 0))
                (outcome,) = await target([event])
                if outcome not in (STORED, DUPLICATE):
                    log.warning("an event of the demo is refused", outcome=outcome, event_id=event.event_id)
    finally:
        await database.close()
