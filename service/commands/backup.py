"""`backup` and `restore` of the embedded database."""

from __future__ import annotations

from pathlib import Path

import click

from service.commands.running import embedded, load_settings
from service.operations.backup import back_up
from service.operations.backup import restore as restore_from


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the embedded database to FILE, while the service runs.

    FILE holds every event that was acknowledged before the backup began. It is an archive of pg_dump. When the archive
    has days that no rows have, it is a tar of such an archive and the files of these days. FILE must not exist yet, and
    appears only once it is complete.
    """
    with embedded() as server:
        size, left_out = back_up(file, server, load_settings().archive_dir)
        click.echo(f"backup: {file}: {size:,} bytes")
        for name in left_out:
            click.echo(f"left out: {name} is damaged; see make verify", err=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Read FILE, which `backup` wrote, into the embedded database, which must be empty.

    Files of the archive in it go into the archive's folder. It restores all of FILE or nothing. To return to a backup,
    stop the service, move the data directory away, and then restore.
    """
    with embedded(makes=True) as server:
        size = restore_from(file, server, load_settings().archive_dir)
        click.echo(f"restore: {file}: {size:,} bytes into {server.postgres.data_dir}")
