"""Injects faults, verifies after each, and prints one table of lost, doubled and falsely reported events.

It also counts wrong answers to questions that are asked meanwhile.

It kills and stops processes, and cuts sockets and single statements, on embedded PostgreSQL servers in a temporary
folder. At the end every acked event must be stored and counted exactly once.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter

import click

from service.console import configure_logs
from sql import VERSION
from sql.errors import DatabaseError, EmbeddedError
from sql.stopping import end_as_ctrl_c
from tests.faults.table.kinds import SEED, all_kinds, quick_kinds, try_all
from tests.faults.table.table import show, total

NOT_CLEAN = 1
COULD_NOT = 2


@click.command(help=__doc__)
@click.version_option(VERSION, prog_name="hourledger faults")
@click.option("--quick", is_flag=True, help="Few faults of the kinds: what the tests run.")
@click.option("--only", metavar="WORDS", help="Only the kinds whose names hold these words.")
@click.option("--seed", default=SEED, show_default=True, help="Of what is left to chance.")
def main(quick: bool, only: str | None, seed: int) -> None:
    """Exits 0 when nothing was lost, doubled, falsely reported or answered wrongly, 1 when it was, 2 when it failed."""
    configure_logs("critical", as_json=False)
    # Treat SIGTERM like Ctrl-C, so that the servers stop and the folder is removed.
    end_as_ctrl_c()
    kinds = [kind for kind in (quick_kinds() if quick else all_kinds()) if (only or "") in kind.name]
    if not kinds:
        raise click.BadParameter(f"no kind's name holds {only!r}", param_hint="--only")
    began = perf_counter()
    try:
        rows = asyncio.run(try_all(kinds, lambda what: click.echo(f"faults: {what}", err=True), seed))
    except (EmbeddedError, DatabaseError, TimeoutError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(COULD_NOT)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(COULD_NOT)
    show(rows)
    sums = total(rows)
    click.echo(
        f"faults: {sums.faults:,} faults of {len(rows)} kinds, {sums.acked:,} events acked, {sums.lost:,} lost,"
        f" {sums.doubled:,} doubled, {sums.false_alarms:,} false alarms,"
        f" {sums.wrong_answers:,} wrong answers of {sums.answers:,}, {perf_counter() - began:.0f} s"
    )
    sys.exit(0 if all(row.clean for row in rows) else NOT_CLEAN)


if __name__ == "__main__":
    main()
