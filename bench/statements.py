"""The queries that only the benchmarks use, by name, as in sql/statements.py."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path


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
    folder = Path(__file__).with_name("sql")
    return Statements(**{
        field.name: (folder / f"{field.name}.sql").read_text(encoding="utf-8") for field in fields(Statements)
    })  # fmt: skip
