"""A small log, and how a test changes it or its projection behind hourledger's back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from service.ingest.event import Event
from sql.database import Database
from sql.days import make_days
from tests.conftest import RETENTION_DAYS
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold

NEXT = START + HOUR
LAST = START + 3 * HOUR
EMPTY = START + 10 * HOUR
MINUTE = timedelta(minutes=1)
# Both sessions begin anonymous; later both name u1.
EVENTS = [
    an_event(0, at=START, session="s1"),
    an_event(1, at=START + 5 * MINUTE, session="s1", properties='{"a": 1}'),
    an_event(2, at=START + QUARTER, session="s2", kind="risk_mode_changed", tool=None, properties='{"risk_mode": "x"}'),
    an_event(3, at=NEXT + 10 * MINUTE, session="s1", tool="Search", user="u1"),
    an_event(4, at=LAST, session="s2", user="u1"),
    an_event(5, at=LAST + HOUR - MINUTE, session="s2"),
]


async def fill(database: Database) -> list[Event]:
    """Append the small log, fold it, and compact the receipts of all but its last append; return its events."""
    # The day of EMPTY as well, because a test may add an event there by hand.
    await make_days(database, RETENTION_DAYS, None, {START.date(), EMPTY.date()})
    await append(database, EVENTS[:3])
    await append(database, EVENTS[3:5])
    await fold(database)
    await database.only(database.statements.compact_receipts, 0)
    await append(database, EVENTS[5:])
    await fold(database)
    return EVENTS


TABLES = (
    *("events", "receipts", "hour_ledger", "hourly_counts", "hourly_members", "hourly_edges", "hourly_documents"),
    *("hour_seals", "amendments", "retired_days", "shard_totals"),
)
SAVE = "create temporary table saved_{0} as table {0}"
PUT_BACK = "delete from {0}; insert into {0} table saved_{0}; drop table saved_{0}"


async def alter(admin: asyncpg.Connection, script: str) -> None:
    """Run one of the scripts above as an administrator."""
    await admin.execute(script.format(start=f"timestamptz '{START:%Y-%m-%d %H:%M}+00'"))


@asynccontextmanager
async def undone(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """Put the rows of log, witnesses and projection back at the end of the block."""
    for table in TABLES:
        await admin.execute(SAVE.format(table))
    try:
        yield
    finally:
        for table in TABLES:
            await admin.execute(PUT_BACK.format(table))
