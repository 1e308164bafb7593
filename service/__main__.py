"""The commands of the service: serve, demo, http, import, export, backup, restore, migrate, rollback, bi-role."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from service.commands.exports import ExportFailed, parameters, run_export
from service.commands.imports import run_import
from service.console import configure_logs, end_with_stdin
from service.demo.events import DAYS, SEED, live_events
from service.demo.fill import Demo, DemoFailed
from service.demo.folder import usual_demo_dir
from service.demo.run import run_demo
from service.demo.trickle import trickle
from service.exports.formats import CSV
from service.exports.formats import FORMATS as EXPORT_FORMATS
from service.imports.formats import AUTO, FORMATS, NotImportable
from service.imports.importer import Job
from service.ingest.timestamps import parse_time
from service.operations.backup import BackupFailed, back_up
from service.operations.backup import restore as restore_from
from service.operations.bi_role import make_role
from service.operations.supervisor import prepare, supervise
from service.reports.kept_range import EVENTS, ROLLUPS
from service.settings import Settings, SettingsError, load
from sql import VERSION
from sql.embedded.share import EmbeddedError, EmbeddedServer, use
from sql.embedded.working_database import server
from sql.errors import DatabaseError, Unavailable
from sql.migrate import check_schema
from sql.migrate import migrate as bring_up
from sql.migrate import rollback as roll_back

COULD_NOT = 2
Result = TypeVar("Result")


@click.group(help=__doc__)
@click.version_option(VERSION, prog_name="hourledger service")
def cli() -> None:
    """Run one of the commands."""


@cli.command()
def serve() -> None:
    """Run the whole service until Ctrl-C: PostgreSQL unless DATABASE_URL is set, migrations, projector, HTTP."""
    settings = _settings()
    settings.check_reads()

    def ready() -> None:
        click.echo(f"hourledger: http://{settings.host}:{settings.port}", err=True)

    supervise(settings, ready)
    click.echo("hourledger: stopped", err=True)


@cli.command()
@click.option("--events", type=click.IntRange(1, 10_000_000), default=100_000, show_default=True, help="How many.")
@click.option("--seed", default=SEED, show_default=True, help="The same seed and end give the same events.")
@click.option("--end", type=parse_time, metavar="ISO-8601", help="When the last of them happens. Default: now.")
@click.option("--no-trickle", is_flag=True, help="Let no more events come in while it runs.")
def demo(events: int, seed: int, end: datetime | None, no_trickle: bool) -> None:
    """Run the whole service until Ctrl-C on 30 days of made-up events, in a data directory of its own.

    That is .demo, as root /var/lib/hourledger-demo, or HOURLEDGER_DATA_DIR when that is empty or a former demo. What a
    former demo left is removed first; anything else is left alone, and refused.
    """
    settings = _settings(data_dir=usual_demo_dir())
    settings.check_reads()
    days = min(DAYS, settings.event_retention_days)  # what is older would be refused
    run_demo(settings, Demo(events, seed, days, end, trickle=not no_trickle))
    click.echo("hourledger: stopped", err=True)


@cli.command(hidden=True)
@click.option("--seed", default=SEED)
@click.option("--visitors", default=0)
@click.option("--until-stdin-ends", is_flag=True)
def demo_trickle(seed: int, visitors: int, until_stdin_ends: bool) -> None:
    """Send what a demo's visitors do, each event when it happens."""
    if until_stdin_ends:
        end_with_stdin()
    trickle(_settings(), live_events(datetime.now(UTC), seed, visitors))


@cli.command()
@click.option("--until-stdin-ends", is_flag=True, help="Stop, too, when standard input ends.")
def http(until_stdin_ends: bool) -> None:
    """Run the HTTP server alone, on the schema as it is. Needs DATABASE_URL."""
    settings = _settings()
    settings.check_reads()
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL must be set for the HTTP server alone; `serve` brings its own PostgreSQL")
    if until_stdin_ends:
        end_with_stdin()
    # One that is away is waited for, and then looked at by whoever asks whether the service is ready.
    with suppress(Unavailable):
        asyncio.run(check_schema(settings.database_url))
    from service.http.server import run  # noqa: PLC0415  # granian is slow to import, and only needed here

    run(settings)


def _shift_to(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        if value not in (None, "now"):
            parse_time(str(value))
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: {error}, or now") from None
    return value


@cli.command("import")
@click.option(
    *("--format", "form"),
    type=click.Choice(FORMATS, case_sensitive=False),
    default=AUTO,
    help="Default: by what the file begins with.",
)
@click.option("--shift-to", callback=_shift_to, metavar="now|ISO-8601", help="Move the newest timestamp there.")
@click.option("--dry-run", is_flag=True, help="Check and count everything, store and record nothing.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(form: str, shift_to: str | None, dry_run: bool, file: Path) -> None:
    """Import events from FILE; what was imported before is a duplicate, so a second run stores nothing.

    \b
    json    an array of events, {"events": [...]}, or either of them as a JSON string
            (what localStorage.getItem('cv_analytics_events') gives)
    ndjson  an event on each line
    csv     with a header that names fields of events: properties holds JSON, demo_mode true, false,
            1 or 0, an empty cell is an absent field; with any other column the file is refused

    Rows follow the rules of POST /api/analytics/track. Those that are rejected are written to
    FILE.rejected.ndjson, each with its reason and its line (the number of the element in json).

    A row without event_id gets one from its content and from how many rows of the same content were before it.

    With --shift-to all timestamps move by one amount, so that the newest event lands there. The amount is recorded
    for the file and the value as it is written, and used again by later runs: `now` is the time of the first run.

    A file that ends too early is imported up to there, but not at all with --shift-to. Exits 0 when every row was
    stored or a duplicate, 1 when rows were rejected, 2 when the import could not be done or not to its end; then run
    it again.
    """  # noqa: D301  # click's mark of a paragraph that is not wrapped
    try:
        sys.exit(_on_database(partial(run_import, Job(file, form, shift_to, dry_run))))
    except KeyboardInterrupt:
        click.echo("error: interrupted; run it again to import the rest", err=True)
    except NotImportable as error:
        click.echo(f"error: {file}: {error}", err=True)
    sys.exit(COULD_NOT)


@cli.command()
@click.option("--output", required=True, metavar="FILE", help="Where to; - is standard output.")
@click.option("--format", type=click.Choice(EXPORT_FORMATS), default=CSV, show_default=True)
@click.option("--of", type=click.Choice((EVENTS, ROLLUPS)), default=EVENTS, show_default=True)
@click.option("--from", metavar="HOUR", help="First hour, such as 2025-10-18T01:00:00Z.")
@click.option("--to", metavar="HOUR", help="The end, not part of the range.")
@click.option("--hours", help="The last hours, up to the end of the current one, instead of a range. Default: 168.")
@click.option(
    *("--filter", "filters"),
    multiple=True,
    metavar="NAME=VALUE",
    help="Only such events: event_type, tool_name, action, risk_mode, demo_mode, session_id, user_id, where, segment.",
)
@click.option("--received-at", is_flag=True, help="Tell of events, too, when they were received.")
def export(output: str, filters: tuple[str, ...], **asked: Any) -> None:
    """Write events or rollups of a range to a file: what GET /api/analytics/export answers.

    \b
    csv      for spreadsheets: a text that one would take for a formula begins with an apostrophe
    ndjson   an object on each line; of events exactly what import takes, unless with --received-at
    parquet  with types; needs the extra hourledger[parquet]

    FILE is there only when it is whole, and replaces one of that name. Where less than the range is kept, the last line
    says from when on. Exits 2 when it could not be done.
    """  # noqa: D301  # click's mark of a paragraph that is not wrapped
    try:
        _on_database(partial(run_export, output, parameters(asked, filters)))
    except KeyboardInterrupt:
        click.echo("error: interrupted", err=True)
        sys.exit(COULD_NOT)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the embedded database to FILE, an archive of pg_dump, while the service goes on.

    What was acknowledged before it began is in it. FILE must not exist yet, and is there only when it is whole.
    """
    with _embedded() as server:
        click.echo(f"backup: {file}: {back_up(file, server):,} bytes")


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Read FILE, an archive of pg_dump, into the embedded database, which must be empty.

    All of it is restored or nothing. To go back to a backup stop the service, move the data directory away, restore.
    """
    with _embedded() as server:
        click.echo(f"restore: {file}: {restore_from(file, server):,} bytes into {server.postgres.data_dir}")


@cli.command()
def migrate() -> None:
    """Bring the schema up to the newest version."""

    async def work(url: str, settings: Settings) -> None:
        steps = await prepare(url, settings)
        click.echo(f"migrate: {', '.join(step.name for step in steps) or 'nothing to do'}")

    _on_database(work)


@cli.command()
@click.option("--force", is_flag=True, help="Even if rows are lost.")
def rollback(force: bool) -> None:
    """Take the schema one step down."""

    async def work(url: str, _: Settings) -> None:
        step = await roll_back(url, force=force)
        click.echo(f"rollback: {step.name if step else 'nothing to do'}")

    _on_database(work)


@cli.command("bi-role")
@click.option("--login", metavar="NAME", help="A login to make, or to give a new password.")
def bi_role(login: str | None) -> None:
    """Make the role hourledger_bi, which may read the views of the schema bi and nothing else, and a login in it.

    Needs a database owner that may make roles; docs/insights.md says what an administrator does instead.
    """

    async def work(url: str, settings: Settings) -> None:
        await prepare(url, settings)
        lines = await make_role(url, login, embedded=settings.database_url is None)
        await bring_up(url)  # it grants the views, to a role that is there by now
        for line in ("bi-role: hourledger_bi reads the views of the schema bi", *lines):
            click.echo(line)

    _on_database(work)


def _settings(data_dir: str | None = None) -> Settings:
    settings = load(data_dir=data_dir)
    configure_logs(settings.log_level, as_json=settings.log_json)
    return settings


def _on_database(work: Callable[[str, Settings], Awaitable[Result]]) -> Result:
    settings = _settings()

    async def run(url: str) -> Result:
        return await work(url, settings)

    with server(settings.database_url, settings.data_dir) as url:
        return asyncio.run(run(url))


def _embedded() -> EmbeddedServer:
    settings = _settings()
    if settings.database_url is not None:
        raise SettingsError("DATABASE_URL is set: use pg_dump and pg_restore of that server, see docs/operations.md")
    return use(settings.data_dir)


def main() -> None:
    """Run a command; what it cannot do is told in one line, with exit code 2."""
    try:
        cli()
    except (SettingsError, EmbeddedError, DatabaseError, BackupFailed, DemoFailed, ExportFailed) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(COULD_NOT)


if __name__ == "__main__":
    main()
