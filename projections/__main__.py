"""The commands of the projections."""

from __future__ import annotations

import sys

from sql.stopping import end_as_ctrl_c

if __name__ == "__main__":
    end_as_ctrl_c()  # before the imports below, which take half a second

# isort: split
import click

from projections.commands.follow import follow, status
from projections.commands.log_head import log_head
from projections.commands.rebuild import drop_old, rebuild, rollback
from projections.commands.retention import retention, undrop
from projections.commands.running import COULD_NOT
from projections.commands.seal_head import seal_head
from projections.commands.verify import verify
from service.console import Commands, codes_for_make
from sql import VERSION


@click.group(cls=Commands, help=__doc__)
@click.version_option(VERSION, prog_name="hourledger projections")
def cli() -> None:
    """Run a command."""


for command in (follow, rebuild, rollback, drop_old, verify, log_head, seal_head, retention, undrop, status):
    cli.add_command(command)


if __name__ == "__main__":
    with codes_for_make():
        try:
            cli()
        except Exception as fault:  # noqa: BLE001  # Python's own exit code 1 would mean that an hour is wrong
            click.echo(f"error: a fault of the program: {type(fault).__name__}: {fault}", err=True)
            sys.exit(COULD_NOT)
