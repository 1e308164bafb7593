"""`export`: writes a file that appears only once it is complete, with progress and one line at the end."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from service.commands.running import COULD_NOT, on_database, site_named
from service.console import CommandFailed, counted, option, progress, switched_on, typed_for_make
from service.errors import ServiceError
from service.exports.engines import new_engine
from service.exports.export import Export, Exports
from service.exports.formats import CSV, ENDINGS, FORMATS
from service.operations.supervisor import prepare
from service.questions.filters import NAMES
from service.questions.hours import HOUR, MOST_HOURS, time_text, touched_hours
from service.questions.segments import Segments
from service.reports.kept_range import EVENTS, ROLLUPS
from service.reports.shards import Shards
from service.settings import Settings
from sql.database import Database
from sql.durable import private, sync
from sql.migrate import check_schema

STDOUT = "-"
RANGE = ("from", "to", "hours")


class ExportFailed(CommandFailed):
    """An export failed. The message is one line."""


@dataclass(slots=True)
class Written:
    """The rows and bytes written so far."""

    rows: int = 0
    bytes: int = 0


@click.command()
@click.option("--output", required=True, metavar="FILE", help="File to write; - is standard output.")
@click.option("--format", type=click.Choice(FORMATS), help="Default: the ending of FILE, else csv.")
@click.option("--of", type=click.Choice((EVENTS, ROLLUPS)), default=EVENTS, show_default=True)
@click.option("--from", metavar="TIME", help="Start of the range, such as 2025-10-18T01:15:00Z.")
@click.option("--to", metavar="TIME", help="End of the range, exclusive. Both are whole quarters of an hour.")
@click.option(
    "--hours",
    metavar="N",
    help="The last N hours, including the current one, instead of --from and --to. Default: 168, at most 8784.",
)
@click.option(
    *("--filter", "filters"),
    multiple=True,
    metavar="NAME=VALUE",
    help="Only events with this value. Names: event_type, tool_name, action, risk_mode, demo_mode, session_id,"
    " user_id, where, segment.",
)
@click.option("--site", metavar="NAME", help="The site to export. Default: the default site.")
@click.option("--received-at", is_flag=True, help="Add the column received_at to events.")
@click.option("--force", is_flag=True, help="Replace a file of that name.")
def export(output: str, filters: tuple[str, ...], *, site: str | None, force: bool, **asked: Any) -> None:
    """Write the events or rollups of a range to a file, like GET /api/analytics/export.

    \b
    csv      for spreadsheets; a text that looks like a formula gets an apostrophe before it
    ndjson   an object on each line; import takes a file of events without --received-at
    parquet  with typed columns; needs pyarrow, the extra hourledger[parquet]

    The ending of FILE names the format, unless --format does: .csv, .ndjson or .jsonl, .parquet. FILE appears only once
    it is complete, and only its owner can read it. A file of that name stays, unless --force replaces it. The last line
    names the range, which begins later where less is kept. Exits 2 when the export failed.
    """  # noqa: D301  # click's mark of a paragraph that is not wrapped
    if not force and Path(output).is_file():
        add = switched_on("force")
        raise ExportFailed(f"{output} exists: an export does not overwrite files, choose another name or add {add}")
    asked["format"] = asked["format"] or ENDINGS.get(Path(output).suffix.lower(), CSV)
    try:
        on_database(partial(run_export, output, parameters(asked, filters), site=site))
    except KeyboardInterrupt:
        click.echo("error: interrupted", err=True)
        sys.exit(COULD_NOT)


def parameters(asked: Mapping[str, object], filters: Sequence[str]) -> dict[str, str]:
    """Return the options of the command as parameters of a query string. Raises ExportFailed."""
    given = {name: str(value).lower() if value is True else str(value) for name, value in asked.items() if value}
    for text in filters:
        name, equals, value = text.partition("=")
        if name not in NAMES or not equals:
            names = ", ".join(sorted(NAMES))
            raise ExportFailed(f"{option('filter', repr(text))}: expected name=value, names are {names}")
        if name in given:
            raise ExportFailed(f"{option('filter', name)}=: expected once, given again")
        given[name] = value
    return given


async def run_export(
    output: str, given: Mapping[str, str], url: str, settings: Settings, *, site: str | None = None
) -> None:
    """Write an export and print its summary. site: the name, None for the default site.

    Raises CommandFailed and sql.errors.DatabaseError.
    """
    if settings.database_url is None:
        await prepare(url, settings)
    else:
        await check_schema(url)
    database = Database(url, connections=1)
    written = Written()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        of_site = await site_named(database, site)
        segments = Segments(database, database, of_site.number)
        shards = Shards(database, of_site.number, of_site.shards)
        exports = Exports(url, segments, partial(new_engine, url, settings), lambda: datetime.now(UTC), shards)
        stack.push_async_callback(exports.close)
        await _export(exports, output, given, written)


async def _export(exports: Exports, output: str, given: Mapping[str, str], written: Written) -> None:
    try:
        async with exports.begun(await exports.question(given)) as export:
            with _file(output) as file:
                await _write(export, file, written)
            click.echo(_summary(output, export, written, usual=given.keys().isdisjoint(RANGE)), err=output == STDOUT)
    except ServiceError as error:
        raise ExportFailed(_as_typed(error)) from error


async def _write(export: Export, file: BinaryIO, written: Written) -> None:
    hours = 0
    since, until = touched_hours(export.since, export.question.until)
    with progress("export", (until - since) // HOUR, "hours") as meter:
        async for block in export.blocks:
            file.write(block.content)
            written.rows += block.rows
            written.bytes += len(block.content)
            done = (block.upto - since) // HOUR
            meter.advance(done - hours)
            hours = done


@contextmanager
def _file(output: str) -> Iterator[BinaryIO]:
    """Give the file to write to. The file gets its name once it is complete. Raises ExportFailed."""
    try:
        if output == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        path = Path(output)
        if path.exists() and not path.is_file():  # a pipe or a device
            with path.open("wb") as file:
                yield file
            return
        partial = path.with_name(f"{path.name}.partial")
        try:
            partial.unlink(missing_ok=True)
            with open(partial, "wb", opener=private) as file:  # Path.open takes no opener
                yield file
            sync(partial)
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ExportFailed(f"{output}: {error.strerror or error}") from error


def _as_typed(error: ServiceError) -> str:
    """Return the message. Where make runs the command, it names the variables of make instead of parameters."""
    name, message = error.field, error.message
    if name is None or not typed_for_make() or not message.startswith(f"{name} "):
        return message
    rest = re.sub(r"\bfrom (and|or) to$", r"FROM= \1 TO=", message.removeprefix(name))
    return f"{option('filter', name) if name in NAMES else option(name)}{rest}"


def _summary(output: str, export: Export, written: Written, *, usual: bool) -> str:
    """usual: no range was asked for."""
    question = export.question
    longer = f" (the usual range; {option('hours', str(MOST_HOURS))} takes a year)" if usual else ""
    cut = f" (before {time_text(export.since)} nothing is kept)" if export.since > question.since else ""
    rows = counted(written.rows, "event" if question.of == EVENTS else "row")
    return (
        f"export: {rows}{'' if question.of == EVENTS else ' of rollups'} from"
        f" {time_text(export.since)} to {time_text(question.until)}{longer}{cut}:"
        f" {written.bytes:,} bytes of {question.form} to {'standard output' if output == STDOUT else output}"
    )
