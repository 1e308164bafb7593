"""DuckDB, bounded: its memory, its threads and its temporary files. It loads no extensions and so has no network."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb

# How many bytes of temporary files a statement may need; the disk is shared with PostgreSQL.
TEMPORARY = 20_000_000_000
MEGABYTE = 1_000_000
_STATEMENTS = Path(__file__).parent


def connect(
    folder: Path | None, memory: str, threads: int, *, temporary: int = TEMPORARY, ordered: bool = True
) -> duckdb.DuckDBPyConnection:
    """Return a database in memory whose temporary files are below `folder`. Nothing can lift its bounds.

    folder: None for no temporary files: a statement that needs more memory than it may have fails then.
    memory: a size as DuckDB writes it, such as 512MB. temporary: the most bytes of temporary files. ordered: rows keep
    the order of what they are read from; without it, large results need less memory.
    """
    place = "" if folder is None else str(folder / "temporary")
    if folder is not None:  # DuckDB makes one folder, and says that memory is lacking when it cannot
        (folder / "temporary").mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": place,
            "max_temp_directory_size": f"{temporary // MEGABYTE}MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "preserve_insertion_order": ordered,
        }
    )
    connection.execute(statement("configure"))
    return connection


@cache
def statement(name: str) -> str:
    """Return the text of a statement of DuckDB: a file of this folder."""
    return (_STATEMENTS / f"{name}.sql").read_text(encoding="utf-8")
