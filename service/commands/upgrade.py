"""`upgrade`: a backup, the newest schema, a check, and the state from before when anything fails."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from service.commands.running import embedded, load_settings
from service.console import switched_on
from service.operations.backup import back_up
from service.operations.upgrade import restore_beside, schema_version, step_down
from service.operations.upgrade import upgrade as bring_up
from service.settings import SettingsError
from sql.embedded.working_database import server as working_server
from sql.migrate import check_unused, newest_version
from sql.untouched import read_positions


@click.command()
@click.option("--no-backup", is_flag=True, help="Make no backup, because you have one.")
@click.option("--force", is_flag=True, help="Keep the new schema although verify finds something wrong.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def upgrade(file: Path | None, no_backup: bool, force: bool) -> None:
    """Upgrade the database to this release: back up to FILE, migrate, verify. When anything fails, go back.

    FILE is in the data directory unless you name one. The service must be stopped. Going back restores FILE beside the
    database, and then lets it take the database's place.

    With --no-backup going back takes the schema down again, step by step, unless that would lose rows. With
    DATABASE_URL this is the only way: make a backup by pg_dump first.
    """
    if no_backup:
        _without_backup(force=force)
    elif load_settings().database_url is not None:
        raise SettingsError(
            f"DATABASE_URL is set: back up that server by pg_dump, and add {switched_on('no-backup')};"
            " see docs/deploy.md"
        )
    else:
        _with_backup(file, force=force)


def _with_backup(file: Path | None, *, force: bool) -> None:
    settings = load_settings()
    with embedded() as server:
        before, positions = _unused_state(server.url)
        made = file or server.postgres.data_dir / f"before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
        size, left_out = back_up(made, server, settings.archive_dir)
        click.echo(f"backup: {made}: {size:,} bytes")
        for name in left_out:
            click.echo(f"left out: {name} is damaged; see make verify", err=True)
        go_back = partial(restore_beside, made, server, settings.archive_dir, positions)
        bring_up(server.url, settings, go_back, force=force)
        click.echo(_summary(before))


def _without_backup(*, force: bool) -> None:
    settings = load_settings()
    with working_server(settings.database_url, settings.data_dir) as url:
        before, positions = _unused_state(url)
        bring_up(url, settings, lambda: asyncio.run(step_down(url, before, positions)), force=force)
        click.echo(_summary(before))


def _unused_state(url: str) -> tuple[int, int]:
    """Return the schema's version, and how far the log has come.

    Raises sql.migrate.SchemaRefused while a service uses the database.
    """
    asyncio.run(check_unused(url))
    return asyncio.run(schema_version(url)), asyncio.run(read_positions(url))


def _summary(before: int) -> str:
    return f"upgrade: the schema went from version {before} to {newest_version()}; start the service"
