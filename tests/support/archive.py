"""Archive hours and days, and read the archive's files and catalog."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import duckdb

from projections.archive.keeper import Keeper
from projections.due_hours import verify_due
from projections.projector import catch_up
from service.ingest.event import Event
from sql.archive.files import COLUMNS, MARKER
from sql.database import Database
from tests.support.log import append
from tests.support.projection import START

# Start of a day that is over, whatever the time is.
DAY_START = START.replace(hour=0) - timedelta(days=1)
DAY = timedelta(days=1)
# The day is over, and its files were written long ago.
QUIET = DAY_START + 2 * DAY
ROWS = "select {} from events where shard = $1 order by session_id, timestamp, position"
CURRENT = """
select h.hour, h.file
from archive_hours as h
join archive_files as f on f.file = h.file and f.damage is null
cross join lateral appended(h.shard, h.hour) as a
where (h.events, h.position_sum, h.digest_high, h.digest_low) = (a.events, a.position_sum, a.digest_high, a.digest_low)
order by h.shard, h.hour
"""


async def settle(database: Database, clock: datetime) -> None:
    """Fold everything, and verify all hours that are over."""
    await catch_up(database)
    while await verify_due(database, clock=clock):
        pass


async def archived(database: Database, archive: Path, clock: datetime) -> Keeper:
    """Archive all that is due at a clock; return the keeper."""
    await settle(database, clock)
    keeper = Keeper(database, archive, clock)
    while await keeper.step():
        pass
    return keeper


async def append_and_archive(
    database: Database, events: Sequence[Event], archive: Path, clock: datetime = QUIET
) -> Keeper:
    """Append events and archive all that is due."""
    assert await append(database, events, clock=clock) == {}
    return await archived(database, archive, clock)


async def current(admin: asyncpg.Connection) -> dict[datetime, str]:
    """Return the file of each hour that is current."""
    return {row["hour"]: row["file"] for row in await admin.fetch(CURRENT)}


async def events_in_log(admin: asyncpg.Connection, shard: int = 0) -> list[tuple[Any, ...]]:
    """Return the events of a shard as PostgreSQL has them, with the columns of a file that are stored."""
    columns = ", ".join("properties::text" if name == "properties" else name for name in list(COLUMNS)[:12])
    return [tuple(row) for row in await admin.fetch(ROWS.format(columns), shard)]


def plain_duck() -> duckdb.DuckDBPyConnection:
    """Return a connection to DuckDB as it comes, in UTC; close it. It sees what files hold now."""
    duck = _duck().cursor()
    duck.execute("set timezone = 'UTC'")
    return duck


@cache
def _duck() -> duckdb.DuckDBPyConnection:
    """Return the database in memory that all connections share, because a new one takes 25 ms of CPU time."""
    return duckdb.connect(config={"enable_external_file_cache": False})


def rows_of(archive: Path, file: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Return the rows of a file, in their order."""
    with plain_duck() as duck:
        path = glob.escape(str(archive / file))
        return duck.read_parquet(path, hive_partitioning=False).project(columns).fetchall()


def columns_of(archive: Path, file: str) -> dict[str, str]:
    """Return DuckDB's type of each column of a file, in their order."""
    with plain_duck() as duck:
        path = glob.escape(str(archive / file))
        rows = duck.execute("describe select * from read_parquet($1, hive_partitioning = false)", [path]).fetchall()
    return {row[0]: row[1] for row in rows}


def files_of(archive: Path) -> list[str]:
    """Return the files below the archive directory, but no folders, and not the one with the archive's id."""
    files = (file for file in archive.rglob("*") if file.is_file() and file != archive / MARKER)
    return sorted(str(file.relative_to(archive)) for file in files)


def hours_of(events: Sequence[Event]) -> list[datetime]:
    """Return the hours of events, each once."""
    return sorted({event.timestamp.replace(minute=0, second=0, microsecond=0) for event in events})
