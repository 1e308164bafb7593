"""The peers of questions about archived events: ClickHouse, and plain DuckDB over one file, both in this process."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from bench.archived import Archived
from bench.statements import clickhouse_statement, duckdb_statement
from sql.archive.duck import connect

NO_CLICKHOUSE = "chdb, ClickHouse's embedded package, is not installed: pip install chdb"
THREADS = 2
# Peers may take what they need.
MEMORY = "8GB"


def has_clickhouse() -> bool:
    """Tell whether ClickHouse's embedded package is installed."""
    return importlib.util.find_spec("chdb") is not None


class ClickHouse:
    """ClickHouse with the same events in a table of its own, below a folder. It can be one at a time."""

    name = "ClickHouse"

    def __init__(self, archived: Archived, folder: Path) -> None:
        self._session: Any = importlib.import_module("chdb.session").Session(str(folder))
        ((version,),) = self._rows("read_version")
        self.name = f"ClickHouse {version}"
        for statement in ("create_database", "create_events"):
            self._rows(statement)
        self._rows("load_events", files=f"{archived.archive}/site=*/day=*/*.parquet")
        self._rows("merge_events")
        ((size,),) = self._rows("measure_events")
        self.bytes = int(size)

    def amount(self, statement: str) -> int:
        """Return the sum of the last column of an answer."""
        return sum(int(row[-1]) for row in self._rows(statement))

    def close(self) -> None:
        """End it."""
        self._session.close()

    def _rows(self, statement: str, **given: str) -> list[list[str]]:
        answer = self._session.query(clickhouse_statement(statement), "CSV", params=given)
        return list(csv.reader(io.StringIO(str(answer))))


class PlainDuck:
    """DuckDB over one file with the same events, without our process, snapshot, exactness and ids."""

    name = "plain DuckDB over one file"

    def __init__(self, archived: Archived, folder: Path) -> None:
        self._file = folder / "one.parquet"
        with closing(connect(folder, MEMORY, THREADS)) as duck:
            files = [str(file) for file in archived.files]
            duck.execute(duckdb_statement("write_one_file"), {"files": files, "file": str(self._file)})
        self._duck: duckdb.DuckDBPyConnection = connect(folder, MEMORY, THREADS, ordered=False)

    def amount(self, statement: str) -> int:
        """Return the sum of the last column of an answer."""
        rows = self._duck.execute(duckdb_statement(statement), {"file": str(self._file)}).fetchall()
        return sum(int(row[-1]) for row in rows)

    def close(self) -> None:
        """End it and remove its file."""
        self._duck.close()
        self._file.unlink()
