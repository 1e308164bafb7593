"""Files of the archive, and rows of PostgreSQL by way of a CSV file, as relations of DuckDB.

PostgreSQL writes null as nothing and an empty string as "", so both come back as they were.
"""

from __future__ import annotations

import errno
import glob
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from sql.database import Session

# The longest line. An event's properties are 16 KiB as sent, but 1e308 is 309 digits once it is stored.
LONGEST_LINE = 16 * 1024 * 1024
# The least bytes that DuckDB reads a file by.
LEAST_BUFFER = 64 * 1024


class TooManyRows(OSError):
    """The rows need more than they may take."""


async def copy_rows(session: Session, file: Path, query: str, *args: object, most: int | None = None) -> int:
    """Write the rows of a query into a CSV file; return the number of bytes.

    Raises OSError when the disk is full, and TooManyRows when there are more than `most` bytes.
    """
    size = 0
    with file.open("wb") as target:

        async def write(data: bytes) -> None:
            nonlocal size
            if most is not None and size + len(data) > most:
                raise TooManyRows(errno.ENOSPC, f"the rows need more than the {most:,} bytes that they may take")
            size += target.write(data)

        await session.copy_out(write, query, *args)
    return size


def read_files(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> duckdb.DuckDBPyRelation:
    """Return the events of files of the archive. Names of folders are no columns."""
    return connection.read_parquet([glob.escape(str(file)) for file in files], hive_partitioning=False)


def read_rows(
    connection: duckdb.DuckDBPyConnection, file: Path, types: Mapping[str, str], *, header: bool = True
) -> duckdb.DuckDBPyRelation:
    """Return the rows of a file of `copy_rows`. types: DuckDB's type of each column of the query, in its order.

    header: whether the file begins with the names of the columns.

    DuckDB reads the file when it needs it, each time. One thread reads it, because a second one would have to guess
    where in a text that holds line breaks a row begins.
    """
    longest = min(LONGEST_LINE, max(LEAST_BUFFER, file.stat().st_size))
    return connection.read_csv(
        file,
        columns=dict(types),
        auto_detect=False,
        header=header,
        delimiter=",",
        quotechar='"',
        escapechar='"',
        na_values=[""],
        allow_quoted_nulls=False,
        lineterminator=duckdb.CSVLineTerminator.LINE_FEED,
        max_line_size=longest,
        buffer_size=2 * longest,
        parallel=False,
        strict_mode=True,
    )
