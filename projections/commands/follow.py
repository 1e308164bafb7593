"""The commands of the projector process: run it, and print its progress."""

from __future__ import annotations

import asyncio
import signal

import click

from projections.commands.running import run
from projections.follow import follow as follow_log
from service.console import counted, end_with_stdin
from service.settings import Settings
from sql.database import Database
from sql.hourly import PROJECTION
from sql.retention import Retention


@click.command()
@click.option("--until-stdin-ends", is_flag=True, help="Also stop when standard input ends.")
def follow(until_stdin_ends: bool) -> None:
    """Fold new events into the projections until SIGTERM or SIGINT."""
    if until_stdin_ends:
        end_with_stdin()

    async def work(database: Database, settings: Settings) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        asked = Retention(settings.event_retention_days, settings.rollup_retention_days, settings.log_days)
        await follow_log(database, asked, settings.grace_days, stop, settings.witness, settings.archive_dir)
        click.echo("projector: stopped", err=True)
        return 0

    run(work)


@click.command()
def status() -> None:
    """Print how many events each shard's rollups are behind the log."""

    async def work(database: Database, _: Settings) -> int:
        lag = 0
        for row in await database.rows(database.statements.list_lags, PROJECTION, None):
            lag += row["lag_events"] if row["live"] else 0
            use = "live" if row["live"] else row["stage"]
            click.echo(
                f"{PROJECTION} version {row['version']} ({use}) shard {row['shard']}: folded to {row['position']:,}"
                f" of {row['head']:,}, {counted(row['lag_events'], 'event')} behind"
            )
        click.echo(f"status: {counted(lag, 'event')} behind")
        return 0

    run(work)
