"""`import`: prepares the schema, imports a file, prints one line, and sets the exit code."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from service.commands.running import COULD_NOT, on_database, site_named
from service.console import CommandFailed, user_name
from service.errors import SiteRetired
from service.imports.days_process import days_process
from service.imports.errors import NotImportable
from service.imports.formats import AUTO, FORMATS
from service.imports.history import History
from service.imports.importer import Job, Tally, import_file
from service.imports.nulls import parse_nulls
from service.imports.targets import Log
from service.ingest.disk_guard import guard_of
from service.ingest.timestamps import parse_time
from service.operations.supervisor import prepare, tell_of_other_retention
from service.settings import Settings
from sql.database import Database
from sql.migrate import check_schema
from sql.retention import Retention

SOME_REJECTED = 1


def _shift_to(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        if value not in (None, "now"):
            parse_time(str(value))
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: {error}, or now") from None
    return value


@click.command("import")
@click.option(
    *("--format", "form"),
    type=click.Choice(FORMATS, case_sensitive=False),
    default=AUTO,
    help="Default: detect it from the beginning of the file.",
)
@click.option(
    "--shift-to",
    callback=_shift_to,
    metavar="now|ISO-8601",
    help="Move all timestamps so that the newest event has this time.",
)
@click.option(
    "--nulls",
    metavar="WORDS",
    help="The cells of csv that mean an absent field, with commas between them; a comma alone for none.",
)
@click.option("--dry-run", is_flag=True, help="Check and count everything, but store nothing.")
@click.option(
    "--history", is_flag=True, help="Bring in events that are older than the log takes. It amends closed days."
)
@click.option("--site", metavar="NAME", help="The site of the events. Default: the default site.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(  # one parameter for each option
    form: str, shift_to: str | None, nulls: str | None, dry_run: bool, history: bool, site: str | None, file: Path
) -> None:
    """Import events from FILE. Events that were imported before count as duplicates: a second run stores nothing.

    \b
    json    an array of events, {"events": [...]}, or either of them as a JSON string
            (what localStorage.getItem('cv_analytics_events') gives)
    ndjson  an event on each line
    csv     with a header that names fields of events: properties holds JSON, demo_mode holds true,
            false, 1 or 0, an empty cell is an absent field; any other column is refused. An apostrophe
            that an export put before a text is taken off

    Rows follow the rules of POST /api/analytics/track. Rejected rows go to FILE.rejected.ndjson, each with its reason
    and its line (in json the number of the element).

    A row without event_id gets one from its content and from its number among rows of the same content.

    --shift-to moves all timestamps by one amount, so that the newest event gets that time. The import records the
    amount for this file and this value of --shift-to. Later runs use it again, so that `now` stays the time of the
    first run.

    --history brings in events that are older than the log takes, one UTC day after another, the oldest first, beside a
    running service. It opens each day, appends, verifies, archives and seals it, and closes it again. A day's amendment
    says what came, by hour. How much stays is up to the retention: first it says which days keep raw events, which only
    rollups, and which cannot take any. With --dry-run it only says so.

    If a file is cut off, the import stores the rows before the cut. With --shift-to it stores none. Exits 0 when every
    row was stored or a duplicate, 1 when rows were rejected, 2 when the import failed or did not reach the end; then
    run it again.
    """  # noqa: D301  # click's mark of a paragraph that is not wrapped
    job = Job(file, form, shift_to, dry_run, None if nulls is None else parse_nulls(nulls))
    try:
        sys.exit(on_database(partial(run_import, job, brings_history=history, site=site), makes=True))
    except KeyboardInterrupt:
        click.echo("error: interrupted; run it again to import the rest", err=True)
    except NotImportable as error:
        click.echo(f"error: {file}: {error}", err=True)
    sys.exit(COULD_NOT)


async def run_import(
    job: Job, url: str, settings: Settings, *, brings_history: bool = False, site: str | None = None
) -> int:
    """Import a file and print the outcomes of its rows. Return the exit code, 0 or 1.

    brings_history: also bring in rows that are older than the log takes. site: the name of the events' site, None for
    the default one.
    Raises CommandFailed for a site that takes no events, and the errors of `import_file`, after printing.
    """
    if job.dry_run and settings.database_url is not None:
        await check_schema(url)  # a dry run must not migrate a database that others use, too
        await _tell_of_other_retention(url, settings)
    else:
        await prepare(url, settings)
    if brings_history:
        job = replace(job, history=_history(job.path, url))
    database = Database(url)
    tally = Tally()
    ended = False
    try:
        disk = guard_of(url, settings.data_dir)
        of_site = await _taking(database, site)
        await import_file(Log(database, settings.log_days, disk=disk, site=of_site), job, tally)
        ended = True
    finally:
        if ended or tally.read:
            click.echo(tally.summary(job))
        await database.close()
    return SOME_REJECTED if tally.rejected else 0


async def _taking(database: Database, name: str | None) -> int:
    """Return the number of a site that takes events."""
    site = await site_named(database, name)
    try:
        site.check_takes_events()
    except SiteRetired as error:
        raise CommandFailed(error.message) from error
    return site.number


def _history(file: Path, url: str) -> History:
    def tell(sentence: str) -> None:
        click.echo(f"history: {sentence}")

    return History(partial(days_process, url, f"import of {file.name}", user_name()), tell)


async def _tell_of_other_retention(url: str, settings: Settings) -> None:
    """Log how the settings differ from the retention in force, if there is one."""
    database = Database(url, connections=1)
    try:
        row = await database.only(database.statements.read_retention)
    finally:
        await database.close()
    if row["event_days"] is not None:
        tell_of_other_retention(settings, Retention(row["event_days"], row["rollup_days"], row["log_days"]))
