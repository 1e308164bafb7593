"""The queries that only the benchmarks use, by name, as in sql/statements.py, and those of other engines."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("sql")


@dataclass(frozen=True, slots=True)
class Statements:
    """The text of each query. The header of its file describes the query, its parameters and its rows."""

    checkpoint: str
    copy_in: str
    copy_out: str
    count_by_hour: str
    count_by_session: str
    count_stored: str
    create_copied: str
    create_inserts: str
    empty_hourly: str
    fill_log: str
    fill_receipts: str
    insert_event: str
    list_log_sizes: str
    list_rollup_sizes: str
    put_documents_back: str
    read_server_version: str
    rewind_checkpoints: str
    rollups_from_events: str
    set_documents_aside: str
    use_one_process: str
    vacuum: str


def load() -> Statements:
    """Read every query. Raises FileNotFoundError when a file is missing."""
    return Statements(**{
        field.name: (_FOLDER / f"{field.name}.sql").read_text(encoding="utf-8") for field in fields(Statements)
    })  # fmt: skip


@cache
def duckdb_statement(name: str) -> str:
    """Return the text of a statement of DuckDB."""
    return (_FOLDER / "duckdb" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def clickhouse_statement(name: str) -> str:
    """Return the text of a statement of ClickHouse."""
    return (_FOLDER / "clickhouse" / f"{name}.sql").read_text(encoding="utf-8")
