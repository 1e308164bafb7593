"""The command that puts quarantines and lifts them; `python -m service quarantine` hands over to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import click
import msgspec

from projections.archive.kept_hours import KeptHours
from projections.commands.running import WRONG, run
from projections.commands.sites import SiteNames, shard_text, site_names
from projections.quarantine import DayChanged, Definition, Quarantines
from service.console import counted, user_name
from service.settings import Settings
from sql.database import Database, Row

LEFT_OUT, COUNTED = "left out", "counted again"
CHOICES = "expected one of --put, --list and --lift"


@click.command(hidden=True)
@click.option("--put", "definition", metavar="JSON", help="Definition, as python -m service quarantine gives it.")
@click.option("--dry-run", is_flag=True, help="With --put: count what it would leave out, and change nothing.")
@click.option("--list", "lists", is_flag=True, help="Print a line for each quarantine.")
@click.option("--lift", "lifted", type=int, metavar="NUMBER", help="Count its events again.")
def quarantine(definition: str | None, *, dry_run: bool, lists: bool, lifted: int | None) -> None:
    """Do the work of `python -m service quarantine`.

    Exits 0, 1 when a day stays as it was, 2 when it could not be done; then run it again.
    """
    if [definition is not None, lists, lifted is not None].count(True) != 1:
        raise click.UsageError(CHOICES)

    async def work(database: Database, settings: Settings) -> int:
        names = await site_names(database)
        if lists:
            return await _list(database, names)
        with KeptHours(settings.archive_dir) as kept:
            quarantines = Quarantines(database, kept)
            if lifted is not None:
                days = quarantines.lift(lifted, user_name())
                return await _tell(_Told(f"quarantine {lifted}", COUNTED, names), days)
            asked = msgspec.json.decode(definition or "", type=Definition)
            if dry_run:
                return await _tell(
                    _Told("quarantine, dry run", f"would be {LEFT_OUT}", names), quarantines.tried(asked)
                )
            number = await quarantines.begin(asked)
            return await _tell(_Told(f"quarantine {number}", LEFT_OUT, names), quarantines.put(number, asked.asked_by))

    run(work)


@dataclass(frozen=True, slots=True)
class _Told:
    """How the output names what is done. does: what happens to events."""

    what: str
    does: str
    names: SiteNames


async def _tell(told: _Told, days: AsyncIterator[DayChanged]) -> int:
    """Print a line for each day of a shard that changes or cannot, and one for all; return the exit code."""
    changed = hindered = events = 0
    async for day in days:
        where = f"{day.day} {shard_text(day.shard, told.names)}"
        if day.hindrance is not None:
            hindered += 1
            click.echo(f"{where}: stays as it is: {day.hindrance}")
            continue
        changed += 1
        events += day.events
        if day.events:
            click.echo(f"{where}: {counted(day.events, 'event')} {told.does}")
    stays = f", {counted(hindered, 'day')} left as before" if hindered else ""
    click.echo(f"{told.what}: {counted(events, 'event')} {told.does}, {counted(changed, 'day')}{stays}")
    return WRONG if hindered else 0


async def _list(database: Database, names: SiteNames) -> int:
    rows = await database.rows(database.statements.list_quarantines)
    for row in rows:
        click.echo(f"{row['number']}: {_line(row, names)}")
    click.echo(
        f"quarantine: {counted(len(rows), 'quarantine')}, {sum(row['lifted_at'] is None for row in rows)} in force"
    )
    return 0


def _line(row: Row, names: SiteNames) -> str:
    site = names.get(row["shards"][0])
    where = f"site {site}, " if site is not None else ""
    span = f"{row['since']:%Y-%m-%dT%H:%M:%SZ} to {row['until']:%Y-%m-%dT%H:%M:%SZ}"
    state = f"in force on {counted(row['days'], 'day')}"
    if row["lifted_at"] is not None:
        state = f"lifted at {row['lifted_at']:%Y-%m-%d %H:%MZ}"
    put = f"{row['reason']} ({row['asked_by']}, {row['put_at']:%Y-%m-%d %H:%MZ})"
    return f"{state}: {where}{span}: {row['condition']}: {put}"
