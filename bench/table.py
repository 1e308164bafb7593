"""The table of results: printed for people, and as JSON for programs."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.ground import Ground, Size
from bench.rows import Row, Spread, Unit

Machine = dict[str, Any]

PLAIN_WIDTH = 400
SYNCS = 30
GOALS_HOLD_FOR = 1_000_000


async def describe_machine(ground: Ground) -> Machine:
    """Return the machine's properties that the figures depend on.

    fsync_ms: median time of writing and syncing 8 KiB in the database's folder, in ms.
    """
    version = await ground.database.only(ground.statements.read_server_version)
    return {
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": version["version"],
        "fsync_ms": round(_fsync_milliseconds(ground.folder / "synced"), 3),
    }


def _fsync_milliseconds(path: Path) -> float:
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            started = perf_counter()
            file.write(bytes(8192))
            os.fsync(file.fileno())
            times.append(perf_counter() - started)
    return statistics.median(times) * 1000


def machine_line(machine: Machine) -> str:
    """Return the machine's properties in one line."""
    return (
        f"{machine['cores']} cores, {machine['platform']}, Python {machine['python']},"
        f" PostgreSQL {machine['postgresql']}, fsync {machine['fsync_ms']:.2f} ms"
    )


def show(rows: list[Row], machine: Machine, size: Size) -> None:
    """Print the table on stdout: with drawn lines on a terminal, otherwise as Markdown."""
    drawn = sys.stdout.isatty()
    table = Table(box=box.ROUNDED if drawn else box.MARKDOWN)
    for name in ("what", "data", "median", "min to max", "against", "its median", "min to max", "ratio", "goal", "met"):
        numbers = name not in ("what", "data", "against", "met")
        table.add_column(name, justify="right" if numbers else "left", no_wrap=not drawn)
    for row in rows:
        table.add_row(*cells(row))
    console = Console(width=None if drawn else PLAIN_WIDTH, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    lines = (line.rstrip() for line in captured.get().splitlines())
    click.echo("\n".join(filter(None, lines)))
    click.echo(machine_line(machine))
    if size.events != GOALS_HOLD_FOR:
        click.echo(f"{size.events:,} events stored; the goals are for {GOALS_HOLD_FOR:,}")


def cells(row: Row) -> list[str]:
    """Return the cells of a row as the table shows them."""
    ratio = "" if row.ratio is None else f"{row.ratio:.{2 if row.ratio >= 1 else 3}f}"
    measured, peer = _spread(row.measured, row.unit), _spread(row.peer_measured, row.unit)
    return [row.what, row.data, *measured, row.peer, *peer, ratio, _goal(row), _outcome(row)]


def _spread(spread: Spread | None, unit: Unit) -> tuple[str, str]:
    if spread is None:
        return "", ""
    low, high = _number(spread.low, unit), _number(spread.high, unit)
    return f"{_number(spread.median, unit)} {unit.name}", f"{low} to {high}" if len(spread.samples) > 1 else ""


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    sign = "≥" if row.goal.at_least else "≤"
    if row.goal.of == "ratio":
        other = "" if row.goal.or_most is None else f" or ≤ {row.goal.or_most:,.0f} {row.unit.name}"
        return f"ratio {sign} {row.goal.bound:.3g}{other}"
    return f"{sign} {row.goal.bound:,.0f} {row.unit.name}"


def _outcome(row: Row) -> str:
    if row.not_counted:
        return f"not counted: {row.not_counted}"
    if row.skipped:
        return f"skipped: {row.skipped}"
    return {True: "yes", False: "no", None: ""}[row.met]


def _number(value: float, unit: Unit) -> str:
    return f"{value:,.{unit.digits}f}"


def as_json(rows: list[Row], machine: Machine, size: Size, seconds: float) -> bytes:
    """Return all results as JSON, samples included."""
    found = {
        "machine": machine,
        "size": asdict(size),
        "seconds": round(seconds, 1),
        "rows": [_row_as_json(row) for row in rows],
    }
    return msgspec.json.format(msgspec.json.encode(found)) + b"\n"


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "what": row.what,
        "data": row.data,
        "unit": row.unit.name,
        "measured": _spread_as_json(row.measured),
        "peer": row.peer or None,
        "peer_measured": _spread_as_json(row.peer_measured),
        "ratio": row.ratio,
        "goal": None if row.goal is None else asdict(row.goal),
        "met": row.met,
        "skipped": row.skipped,
        "not_counted": row.not_counted,
    }


def _spread_as_json(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {"median": spread.median, "low": spread.low, "high": spread.high, "samples": spread.samples}
