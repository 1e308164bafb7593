"""The numbers of an hour: what the ledger knows of its events, and what a file holds."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from sql.archive.duck import statement
from sql.database import Row

HOUR = timedelta(hours=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The number of events, the sum of their positions, and both halves of their digest (R5)."""

    events: int
    position_sum: int
    digest_high: int
    digest_low: int


def numbers_of(row: Row) -> Numbers:
    """Return the numbers in a row of PostgreSQL."""
    return Numbers(row["events"], int(row["position_sum"]), int(row["digest_high"]), int(row["digest_low"]))


def count_file(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[tuple[int, datetime], Numbers]:
    """Recompute the numbers of each shard and hour in a file, from the file alone. Raises duckdb.Error."""
    rows = connection.execute(statement("count_hours"), {"file": glob.escape(str(file))}).fetchall()
    return {(shard, BEGINNING + hour * HOUR): Numbers(*map(int, numbers)) for shard, hour, *numbers in rows}
