"""`backup` and `restore` of the embedded database."""

from __future__ import annotations

from pathlib import Path

import click

from service.commands.running import embedded
from service.operations.backup import back_up
from service.operations.backup import restore as restore_from


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the embedded database to FILE, an archive of pg_dump, while the service runs.

    FILE holds every event that was acknowledged before the backup began. FILE must not exist yet, and appears only once
    it is complete.
    """
    with embedded() as server:
        click.echo(f"backup: {file}: {back_up(file, server):,} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Read FILE, an archive of pg_dump, into the embedded database, which must be empty.

    It restores all of FILE or nothing. To return to a backup, stop the service, move the data directory
    away, and then restore.
    """
    with embedded(makes=True) as server:
        click.echo(f"restore: {file}: {restore_from(file, server):,} bytes into {server.postgres.data_dir}")
