"""The commands of a rebuild: a range in place, or everything as a new version, which can be rolled back."""

from __future__ import annotations

from datetime import datetime

import click

from projections import versions
from projections.archive.kept_hours import KeptHours
from projections.commands.hours import hour_text, since_option, until_option
from projections.commands.running import WRONG, run
from projections.commands.sites import SiteNames, shard_text, site_names
from projections.hours import Hour, list_hours
from projections.rebuild import rebuild as rebuild_hours
from service.console import counted, progress
from service.settings import Settings
from sql.database import Database
from sql.hourly import BROKEN, DAMAGED, PROJECTION, SEALED

# The states in which an hour keeps its rollup, and why.
WHY_NOT = {DAMAGED: "raw events are damaged", BROKEN: "what was sealed is broken"}

# With the whole commands, because `make rollback` takes the schema down.
FORMER = (
    "; version {} stays: `.venv/bin/python -m projections rollback` makes it live again,"
    " `.venv/bin/python -m projections drop-old` drops it"
)


@click.command()
@since_option
@until_option
@click.option("--projection", type=click.Choice([PROJECTION]), default=PROJECTION, help="The projection to rebuild.")
def rebuild(since: datetime | None, until: datetime | None, projection: str) -> None:
    """Regenerate rollups from raw events, while readers and writers keep working.

    Without a range, fills a new version beside the live one, verifies it, and makes it live. After an interruption, run
    it again: it continues. A range is rebuilt in place, hour by hour. Exits 0 when every hour was rebuilt, 1 when an
    hour keeps its rollup because its raw events are damaged or its seal is broken, 2 when the rebuild failed. The raw
    events of days that have left the log are read from the archive, as long as it keeps them.
    """

    async def work(database: Database, settings: Settings) -> int:
        with KeptHours(settings.archive_dir) as kept:
            if since or until:
                return await _rebuild_range(database, await list_hours(database, since, until), projection, kept)
            return await _rebuild_everything(database, projection, kept)

    run(work)


async def _rebuild_range(database: Database, hours: list[Hour], projection: str, kept: KeptHours) -> int:
    events = sum(hour.events for hour in hours)
    names = await site_names(database)
    mended = refused = sealed = 0
    with progress("rebuild", events, "events") as meter:
        async for rebuilt in rebuild_hours(database, hours, kept):
            meter.advance(rebuilt.hour.events)
            mended += rebuilt.rows_written > 0
            sealed += rebuilt.outcome == SEALED
            if rebuilt.outcome in WHY_NOT:
                refused += 1
                _tell(rebuilt.hour, rebuilt.outcome, names)
    click.echo(
        f"rebuild of {projection}: {counted(len(hours), 'hour')}, {counted(events, 'event')}:"
        f" {counted(mended, 'hour')} changed,"
        f" {refused:,} not rebuilt, {sealed:,} sealed"
    )
    return WRONG if refused else 0


async def _rebuild_everything(database: Database, projection: str, kept: KeptHours) -> int:
    version = await versions.begin(database)
    events = sum(hour.events for hour in await list_hours(database, None, None))
    proofs = []
    with progress("rebuild", 2 * events, "events filled and verified") as meter:
        async for hour in versions.fill(database, version, kept):
            meter.advance(hour.events)
        async for proof in versions.prove(database, version, kept):
            meter.advance(proof.hour.events)
            proofs.append(proof)
    await versions.switch(database, version, proofs, kept)
    wrong = [proof for proof in proofs if proof.state in WHY_NOT]
    names = await site_names(database)
    for proof in wrong:
        _tell(proof.hour, proof.state, names)
    carried = sum(proof.state == SEALED and not proof.kept for proof in proofs)
    former = "".join(FORMER.format(other) for other in await versions.kept(database))
    click.echo(
        f"rebuild of {projection}: {counted(len(proofs), 'hour')}, {counted(events, 'event')}: version {version}"
        f" is live,"
        f" {counted(carried, 'sealed hour')} carried over, {len(wrong):,} not rebuilt{former}"
    )
    return WRONG if wrong else 0


def _tell(hour: Hour, outcome: str, names: SiteNames) -> None:
    click.echo(
        f"{hour_text(hour.start)} {shard_text(hour.shard, names)}: not rebuilt: {WHY_NOT[outcome]}; see make verify"
    )


@click.command()
def rollback() -> None:
    """Make the version from before the last full rebuild live again."""

    async def work(database: Database, _: Settings) -> int:
        former, live = await versions.roll_back(database)
        click.echo(f"rollback of {PROJECTION}: version {live} is live, version {former} was")
        return 0

    run(work)


@click.command()
def drop_old() -> None:
    """Drop the versions that are not live. Afterwards there is nothing to roll back to."""

    async def work(database: Database, _: Settings) -> int:
        dropped = await versions.drop_old(database)
        click.echo(f"drop-old of {PROJECTION}: {counted(len(dropped), 'version')} dropped")
        return 0

    run(work)
