"""Write hours of a log into files of an archive, as its writer does, but at once and without its care."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncpg

from service.archive.parts import read_events
from service.archive.snapshot import Gap, Selection, rows_query
from sql.archive import duck
from sql.archive.files import COLUMNS, file_name
from sql.archive.rows import copy_rows
from sql.database import Database
from tests.support.oracle import HOUR

RECORD = """
insert into archive_files (
    file, shard, since, until, events, bytes, property_columns, long_numbers, written_at
)
values ($1, $2, $3, $4, $5, $6, '[]', 0, now())
"""
RECORD_HOUR = """
insert into archive_hours (shard, hour, file, events, position_sum, digest_high, digest_low, proven_at)
select $1, $2, $3, a.events, a.position_sum, a.digest_high, a.digest_low, now()
from appended($1, $2) as a
on conflict (shard, hour) do update set
    file = excluded.file, events = excluded.events, position_sum = excluded.position_sum,
    digest_high = excluded.digest_high, digest_low = excluded.digest_low
"""


async def archive(
    database: Database, admin: asyncpg.Connection, folder: Path, hours: Sequence[datetime], *, shard: int = 0
) -> Path:
    """Write the events of some hours of one UTC day into one file; return its place."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    written = folder / "new.parquet"
    count = await _write(database, folder, [Gap(shard, hour, hour + HOUR) for hour in hours], written)
    digest = hashlib.sha256(written.read_bytes()).hexdigest()
    name = file_name(shard, hours[0], day=len(hours) > 1, digest=digest)
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    written.rename(place)
    since, until = hours[0], hours[0] + HOUR
    if len(hours) > 1:
        since = hours[0].replace(hour=0)
        until = since + 24 * HOUR
    await admin.execute(RECORD, name, shard, since, until, count, place.stat().st_size)
    for hour in hours:
        await admin.execute(RECORD_HOUR, shard, hour, name)
    return place


async def _write(database: Database, folder: Path, gaps: Sequence[Gap], file: Path) -> int:
    rows = folder / "new.csv"
    query, given = rows_query(gaps, Selection(COLUMNS))
    async with database.snapshot() as session:
        await copy_rows(session, rows, query, *given)
    with duck.connect(folder, "200MB", 1) as connection:
        relation = read_events(connection, rows)
        relation.write_parquet(str(file), compression="zstd")
        count = len(relation.select("event_id").fetchall())
    rows.unlink()
    return count
