"""The commands that run a retention pass now, and that bring back what a pass took out of the log."""

from __future__ import annotations

from datetime import datetime

import click

from projections.commands.running import WRONG, run
from projections.projector import catch_up
from projections.retention import RetiredDay, retain
from projections.undrop import undrop as bring_back
from service.console import counted, progress
from service.settings import Settings
from sql.database import Database
from sql.retention import Retention, clock_warnings, record_retention


@click.command()
@click.option("--force", is_flag=True, help="Accept the clocks as they are, and retire all that is due by them.")
@click.option("--shorten", is_flag=True, help="Put a shorter retention of the settings in force.")
def retention(force: bool, shorten: bool) -> None:
    """Run a retention pass now: verify and seal the days past the horizon, and take them out of the log.

    A day that is past HOURLEDGER_LOG_DAYS, but not past HOURLEDGER_EVENT_RETENTION_DAYS, leaves only the rows: the
    archive keeps its events. Whatever leaves stays for HOURLEDGER_GRACE_DAYS, in which `undrop` brings it back; then a
    pass drops it. It also deletes rollups past their time.

    A pass moves the horizon by a day at most, and by no more than the time that passed. When a clock is a day ahead of
    that, retention waits for --force and says so. A retention in the settings that is shorter than the one in force
    waits for --shorten.

    Exits 0 when every such day was retired, or is in use at the moment, 1 when a day is kept because it does not verify
    or cannot be dropped, 2 when the pass could not be run.
    """

    async def work(database: Database, settings: Settings) -> int:
        kept = await _in_force(database, settings, shorten=shorten)
        await catch_up(database)
        days = []
        with progress("retention", 0, "events") as meter:
            passed = retain(database, kept, archive=settings.archive_dir, grace_days=settings.grace_days, force=force)
            async for day in passed:
                meter.advance(day.events)
                days.append(day)
        for sentence in clock_warnings(await database.only(database.statements.read_retention)):
            click.echo(sentence, err=True)
        hindered = [day for day in days if day.hindrance is not None]
        for day in hindered:
            click.echo(f"{day.day}: kept: {day.hindrance}")
        done = [day for day in days if day.hindrance is None]
        for day in (day for day in done if day.archived):
            what = "dropped for good" if day.dropped else "left the log"
            click.echo(f"{day.day}: the rows of {counted(day.events, 'event')} {what}; the archive keeps the events")
        retired = _sum([day for day in done if not day.dropped and not day.archived])
        dropped = _sum([day for day in done if day.dropped and not day.archived])
        click.echo(f"retention: {retired} retired, {dropped} dropped, {counted(len(hindered), 'day')} kept")
        return WRONG if any(day.failed for day in hindered) else 0

    run(work)


@click.command()
@click.option(
    "--from",
    "since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day (UTC). Default: the oldest of them.",
)
def undrop(since: datetime | None) -> None:
    """Bring back the days that retention took out of the log, from --from to the newest, and verify them.

    A day whose rows were dropped comes back into the archive, while its files are there. The days answer questions
    again and take no new events. Retention leaves them alone for HOURLEDGER_GRACE_DAYS, a day at least, and for as long
    as the retention in force keeps them. Exits 0, 1 when an hour of them does not verify, 2 when they could not be
    brought back.
    """

    async def work(database: Database, settings: Settings) -> int:
        await _in_force(database, settings)
        first = since.date() if since else None
        days = []
        async for day in bring_back(database, first, archive=settings.archive_dir, grace_days=settings.grace_days):
            wrong = f", {counted(day.wrong, 'hour')} of them wrong: see make verify" if day.wrong else ""
            until = f"until {day.until:%Y-%m-%d %H:%MZ} at least"
            where = "are back in the archive" if day.archived else "are back"
            click.echo(f"{day.day}: {counted(day.events, 'event')} {where}, {until}{wrong}")
            days.append(day)
        events = sum(day.events for day in days)
        click.echo(f"undrop: {counted(len(days), 'day')}, {counted(events, 'event')} brought back")
        return WRONG if any(day.wrong for day in days) else 0

    run(work)


async def _in_force(database: Database, settings: Settings, *, shorten: bool = False) -> Retention:
    """Return the retention in force; print how the settings differ from it."""
    asked = Retention(settings.event_retention_days, settings.rollup_retention_days, settings.log_days)
    kept = await record_retention(database, asked, shorten=shorten)
    for sentence in settings.unlike_retention(kept.event_days, kept.rollup_days, kept.log_days):
        click.echo(sentence, err=True)
    return kept


def _sum(days: list[RetiredDay]) -> str:
    return f"{counted(len(days), 'day')}, {counted(sum(day.events for day in days), 'event')}"
