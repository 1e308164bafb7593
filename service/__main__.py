"""The commands of the service: serve, demo, http, import, export, backup, restore, migrate, rollback, bi-role."""

from __future__ import annotations

import sys

from sql.stopping import end_as_ctrl_c

if __name__ == "__main__":
    end_as_ctrl_c()  # before the imports below, which take half a second

# isort: split
import click

from service.commands.backup import backup, restore
from service.commands.demo import demo, demo_trickle
from service.commands.exports import ExportFailed, export
from service.commands.imports import import_
from service.commands.running import COULD_NOT
from service.commands.schema import bi_role, migrate, rollback
from service.commands.serve import http, serve
from service.console import Commands, codes_for_make
from service.demo.fill import DemoFailed
from service.operations.backup import BackupFailed
from service.settings import SettingsError
from sql import VERSION
from sql.errors import DatabaseError, EmbeddedError


@click.group(cls=Commands, help=__doc__)
@click.version_option(VERSION, prog_name="hourledger service")
def cli() -> None:
    """Run one of the commands."""


for command in (serve, demo, demo_trickle, http, import_, export, backup, restore, migrate, rollback, bi_role):
    cli.add_command(command)


def main() -> None:
    """Run a command. When it fails, print the error in one line and exit with code 2."""
    with codes_for_make():
        try:
            cli()
        except (SettingsError, EmbeddedError, DatabaseError, BackupFailed, DemoFailed, ExportFailed) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(COULD_NOT)


if __name__ == "__main__":
    main()
