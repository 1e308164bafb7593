"""An hour that is recounted from its file has the rows that it has when its events are recounted from the log."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from projections.archive.catalog import Span, appended
from projections.archive.identity import check_archive, mark
from projections.archive.kept_hours import KeptHours
from projections.archive.writer import Writer
from service.ingest.event import Event
from sql.database import Database, Session
from tests.property.archive.test_files import EMPTY, stored_events
from tests.support import oracle
from tests.support.archive import hours_of
from tests.support.hard_events import sent
from tests.support.log import append
from tests.support.oracle import HOUR
from tests.support.sent_events import examples

KEEP = "insert into archived_days (day, stage) values ($1, 'kept')"
RECOUNT = "select bucket, dimension, key, kind, member, amount from hourly_recount(0, $1, 9223372036854775807)"
FORGET = "; delete from archive_hours; delete from archive_files; delete from archived_days"
# Modes that count under their own name, under another one, and not at all.
MODES = (
    '{"risk_mode": "é😀"}',
    '{"risk_mode": ""}',
    '{"risk_mode": null, "__proto__": 1}',
    "{}",
    '{"risk_mode": "a\\tb"}',
)
risks = st.builds(
    lambda event, mode: event._replace(event_type="risk_mode_changed", properties=mode), sent, st.sampled_from(MODES)
)


@given(st.lists(sent | risks, min_size=1, max_size=40), stored_events())
@examples(12)
async def test_rows_and_files_give_the_same_recount(
    database: Database, database_url: str, some: list[Event], others: list[Event]
) -> None:
    log = oracle.Log()
    log.append(some + others)
    admin = await asyncpg.connect(database_url)
    try:
        await admin.execute(EMPTY + FORGET)
        await append(database, log.events)
        with tempfile.TemporaryDirectory() as folder:
            await _check(database, admin, Path(folder), log.events)
    finally:
        await admin.close()


async def _check(database: Database, admin: asyncpg.Connection, archive: Path, events: list[Event]) -> None:
    hours = hours_of(events)
    async with database.transaction() as session:
        from_rows = [await _recount(session, hour) for hour in hours]
    mark(archive, await check_archive(database, archive))
    writer = Writer(database, archive)
    for hour in hours:
        span = Span(0, hour, hour + HOUR, is_day=False)
        assert await writer.write_rows(span, await appended(database, span))
    for day in {hour.date() for hour in hours}:
        await admin.execute(KEEP, day)
        if len([hour for hour in hours if hour.date() == day]) > 1:
            since = datetime.combine(day, datetime.min.time(), hours[0].tzinfo)
            assert await writer.write_day(Span(0, since, since + 24 * HOUR, is_day=True))
    with KeptHours(archive) as kept:
        async with database.transaction() as session:
            for hour in hours:
                found = await kept.load(session, 0, hour)
                assert found is not None
                assert found.wrong is None
            from_files = [await _recount(session, hour) for hour in hours]
    assert from_files == from_rows
    counts = Counter({row[:3]: row[5] for rows in from_files for row in rows if row[1] is not None})
    members = {(row[0], row[3], row[4]) for rows in from_files for row in rows if row[1] is None}
    assert (counts, members) == (oracle.rows(events).counts, oracle.rows(events).members)


async def _recount(session: Session, hour: datetime) -> Counter[tuple[Any, ...]]:
    return Counter(map(tuple, await session.rows(RECOUNT, hour)))
