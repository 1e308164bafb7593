"""The commands of the projections."""

from __future__ import annotations

import sys

from sql.loading import begin_loading, end_loading
from sql.stopping import end_as_ctrl_c

if __name__ == "__main__":
    end_as_ctrl_c()  # before the imports below, which take a while
    begin_loading()

# isort: split
import click

from service.console import Commands, codes_for_make
from sql import VERSION

COULD_NOT = 2
# The module and the name of each command. Only the one that runs is loaded, because that takes a while.
COMMANDS = {
    "follow": "projections.commands.follow:follow",
    "rebuild": "projections.commands.rebuild:rebuild",
    "rollback": "projections.commands.rebuild:rollback",
    "drop-old": "projections.commands.rebuild:drop_old",
    "verify": "projections.commands.verify:verify",
    "accept-damage": "projections.commands.acceptance:accept_damage_",
    "log-head": "projections.commands.log_head:log_head",
    "seal-head": "projections.commands.seal_head:seal_head",
    "retention": "projections.commands.retention:retention",
    "undrop": "projections.commands.retention:undrop",
    "quarantine": "projections.commands.quarantine:quarantine",
    "history": "projections.commands.history:history",
    "status": "projections.commands.follow:status",
}


@click.group(cls=Commands, help=__doc__, places=COMMANDS)
@click.version_option(VERSION, prog_name="hourledger projections")
def cli() -> None:
    """Run a command."""
    end_loading()  # click has loaded the command by now


if __name__ == "__main__":
    with codes_for_make():
        try:
            cli()
        except Exception as fault:  # noqa: BLE001  # Python's own exit code 1 would mean that an hour is wrong
            click.echo(f"error: a fault of the program: {type(fault).__name__}: {fault}", err=True)
            sys.exit(COULD_NOT)
