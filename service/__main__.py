"""The commands of the service: serve, health, import, export, sites, keys, alerts, backup, upgrade and others."""

from __future__ import annotations

import sys

from sql.loading import begin_loading, end_loading
from sql.stopping import end_as_ctrl_c

if __name__ == "__main__":
    end_as_ctrl_c()  # before the imports below, which take a while
    begin_loading()

# isort: split
import click

from service.console import CommandFailed, Commands, codes_for_make
from service.settings import SettingsError
from sql import VERSION
from sql.errors import DatabaseError, EmbeddedError

COULD_NOT = 2
# The module and the name of each command. Only the one that runs is loaded, because that takes a while.
COMMANDS = {
    "serve": "service.commands.serve:serve",
    "demo": "service.commands.demo:demo",
    "demo-trickle": "service.commands.demo:demo_trickle",
    "http": "service.commands.serve:http",
    "health": "service.commands.health:health",
    "import": "service.commands.imports:import_",
    "export": "service.commands.exports:export",
    "quarantine": "service.commands.quarantine:quarantine",
    "sites": "service.commands.sites:sites",
    "keys": "service.commands.keys:keys",
    "person": "service.commands.people:person",
    "erase": "service.commands.people:erase",
    "erasures": "service.commands.people:erasures",
    "links": "service.commands.links:links",
    "alerts": "service.commands.alerts:alerts",
    "backup": "service.commands.backup:backup",
    "restore": "service.commands.backup:restore",
    "upgrade": "service.commands.upgrade:upgrade",
    "migrate": "service.commands.schema:migrate",
    "rollback": "service.commands.schema:rollback",
    "bi-role": "service.commands.schema:bi_role",
}


@click.group(cls=Commands, help=__doc__, places=COMMANDS)
@click.version_option(VERSION, prog_name="hourledger service")
def cli() -> None:
    """Run one of the commands."""
    end_loading()  # click has loaded the command by now


def main() -> None:
    """Run a command. When it fails, print the error in one line and exit with code 2."""
    with codes_for_make():
        try:
            cli()
        except (SettingsError, EmbeddedError, DatabaseError, CommandFailed) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(COULD_NOT)


if __name__ == "__main__":
    main()
