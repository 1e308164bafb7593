"""The command that runs a retention pass now."""

from __future__ import annotations

import click

from projections.commands.running import WRONG, run
from projections.projector import catch_up
from projections.retention import retain
from service.console import counted, progress
from service.settings import Settings
from sql.database import Database


@click.command()
def retention() -> None:
    """Run a retention pass now: verify, seal and drop the days past the horizon, then delete rollups past their time.

    Exits 0 when every such day was dropped, or is in use at the moment, 1 when a day is kept because it does not verify
    or cannot be dropped, 2 when the pass could not be run.
    """

    async def work(database: Database, settings: Settings) -> int:
        await catch_up(database)
        days = []
        with progress("retention", 0, "events") as meter:
            async for day in retain(database, settings.event_retention_days, settings.rollup_retention_days):
                meter.advance(day.events)
                days.append(day)
        kept = [day for day in days if day.hindrance is not None]
        for day in kept:
            click.echo(f"{day.day}: kept: {day.hindrance}")
        events = sum(day.events for day in days if day.hindrance is None)
        dropped = f"{counted(len(days) - len(kept), 'day')}, {counted(events, 'event')} dropped"
        click.echo(f"retention: {dropped}, {counted(len(kept), 'day')} kept")
        return WRONG if any(day.failed for day in kept) else 0

    run(work)
