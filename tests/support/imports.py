"""Write files to import, and import them in the test's process or with the command."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from service.imports.formats import AUTO
from service.imports.importer import Job, Tally, import_file
from service.imports.rejected_rows import rejected_path
from service.imports.targets import Log
from sql.database import Database
from tests.conftest import RETENTION_DAYS
from tests.support.log import NOW
from tests.support.projections_command import ROOT, Ended

Rows = Sequence[Mapping[str, Any]]


def a_row(number: int | None = 0, **fields: Any) -> dict[str, Any]:
    """Return a row of an import file; without a number it has no id."""
    named = {} if number is None else {"event_id": f"evt_{number}"}
    return {"event_type": "page_viewed", "session_id": "s1", "timestamp": NOW.isoformat(), **named, **fields}


def write_array(path: Path, rows: Rows) -> Path:
    path.write_text(json.dumps(rows))
    return path


def write_string(path: Path, rows: Rows) -> Path:
    path.write_text(json.dumps(json.dumps({"events": rows}, indent=1)))
    return path


def write_lines(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))
    return path


def write_cells(path: Path, rows: Rows) -> Path:
    columns = sorted({name for row in rows for name in row})
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return path


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=1)


WRITERS = {"array.json": write_array, "string.txt": write_string, "lines.ndjson": write_lines, "cells.csv": write_cells}


class Counts(NamedTuple):
    """How many rows of a file were stored, were duplicates, and were rejected."""

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0


async def imported(
    database: Database,
    path: Path,
    *,
    form: str = AUTO,
    shift_to: str | None = None,
    dry_run: bool = False,
    days: int = RETENTION_DAYS,
    patience: float = 60.0,
) -> Counts:
    """Import a whole file; return how its rows ended."""
    tally = Tally()
    await import_file(Log(database, days, patience=patience), Job(path, form, shift_to, dry_run), tally)
    assert tally.read == tally.stored + tally.duplicate + tally.rejected
    return Counts(tally.stored, tally.duplicate, tally.rejected)


def rejected(path: Path) -> list[dict[str, Any]]:
    """Return the lines of the file that names rejected rows; none when the file does not exist."""
    file = rejected_path(path)
    # Not splitlines: it would also split at other line separators, which rows may contain.
    return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]] if file.exists() else []


async def start(url: str, *arguments: object, command: str = "import", **settings: str) -> asyncio.subprocess.Process:
    """Start `python -m service import`, or another command of the service."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOURLEDGER_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "service", command, *map(str, arguments)),
        env=inherited | {"DATABASE_URL": url, "HOURLEDGER_EVENT_RETENTION_DAYS": str(RETENTION_DAYS)} | settings,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(url: str, *arguments: object, command: str = "import", **settings: str) -> Ended:
    """Run a command of the service to its end."""
    process = await start(url, *arguments, command=command, **settings)
    output, errors = await process.communicate()
    return Ended(process.returncode or 0, output.decode(), errors.decode())


def numbered(count: int) -> list[dict[str, Any]]:
    """Return rows that are all different, with ids."""
    return [a_row(number, session_id=f"s{number // 14}", properties={"n": number}) for number in range(count)]


def without_ids(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the same rows without their ids."""
    return [{name: value for name, value in row.items() if name != "event_id"} for row in rows]
