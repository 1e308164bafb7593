"""The table of faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 140
# The numbers of a row, and their names in the table.
NUMBERS = {
    "faults": "faults tried",
    "acked": "events acked",
    "lost": "lost",
    "doubled": "doubled",
    "false_alarms": "false alarms",
    "answers": "answers",
    "wrong_answers": "wrong answers",
}


@dataclass(slots=True)
class Row:
    """The result of faults of one kind.

    acked: distinct events. lost: acked events that the log lacks, and missing counts of rollups. doubled: events of the
    log that are repeated or were never acked, and excess counts of rollups. false_alarms: findings of verify, although
    nothing was altered. answers: to questions about raw events that were asked beside the faults. wrong_answers: those
    that differ from a count by brute force.
    """

    kind: str
    faults: int = 0
    acked: int = 0
    lost: int = 0
    doubled: int = 0
    false_alarms: int = 0
    answers: int = 0
    wrong_answers: int = 0

    @property
    def clean(self) -> bool:
        """Whether faults were tried, events were acked, and nothing was lost, doubled, falsely reported or answered."""
        wrong = self.lost, self.doubled, self.false_alarms, self.wrong_answers
        return self.faults > 0 and self.acked > 0 and not any(wrong)


def total(rows: Sequence[Row]) -> Row:
    """Return the sums of all rows."""
    sums = Row("all")
    for row in rows:
        for name in NUMBERS:
            setattr(sums, name, getattr(sums, name) + getattr(row, name))
    return sums


def show(rows: Sequence[Row]) -> None:
    """Print the table and its sums on stdout."""
    table = Table(box=box.MARKDOWN)
    table.add_column("fault kind", no_wrap=True)
    for name in NUMBERS.values():
        table.add_column(name, justify="right", no_wrap=True)
    for row in [*rows, total(rows)]:
        table.add_row(row.kind, *(f"{getattr(row, name):,}" for name in NUMBERS))
    console = Console(width=WIDTH, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip()))
