"""The table of faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 120


@dataclass(slots=True)
class Row:
    """The result of faults of one kind.

    acked: distinct events. lost: acked events that the log lacks, and missing counts of rollups. doubled: events of the
    log that are repeated or were never acked, and excess counts of rollups. false_alarms: findings of verify, although
    nothing was altered.
    """

    kind: str
    faults: int = 0
    acked: int = 0
    lost: int = 0
    doubled: int = 0
    false_alarms: int = 0

    @property
    def clean(self) -> bool:
        """Whether faults were tried, events were acked, and nothing was lost, doubled or falsely reported."""
        return self.faults > 0 and self.acked > 0 and not (self.lost or self.doubled or self.false_alarms)


def total(rows: Sequence[Row]) -> Row:
    """Return the sums of all rows."""
    sums = Row("all")
    for row in rows:
        for name in ("faults", "acked", "lost", "doubled", "false_alarms"):
            setattr(sums, name, getattr(sums, name) + getattr(row, name))
    return sums


def show(rows: Sequence[Row]) -> None:
    """Print the table and its sums on stdout."""
    table = Table(box=box.MARKDOWN)
    for name in ("fault kind", "faults tried", "events acked", "lost", "doubled", "false alarms"):
        table.add_column(name, justify="left" if name == "fault kind" else "right", no_wrap=True)
    for row in [*rows, total(rows)]:
        numbers = (row.faults, row.acked, row.lost, row.doubled, row.false_alarms)
        table.add_row(row.kind, *(f"{number:,}" for number in numbers))
    console = Console(width=WIDTH, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip()))
