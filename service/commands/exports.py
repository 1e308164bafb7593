"""`export`: writes a file that appears only once it is complete, with progress and one line at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from service.commands.running import COULD_NOT, on_database
from service.console import counted, progress
from service.errors import ServiceError
from service.exports.export import Export, Exports
from service.exports.formats import CSV, FORMATS
from service.operations.supervisor import prepare
from service.questions.filters import NAMES
from service.questions.hours import HOUR, time_text, touched_hours
from service.questions.segments import Segments
from service.reports.kept_range import EVENTS, ROLLUPS
from service.settings import Settings
from sql.database import Database
from sql.durable import private, sync
from sql.migrate import check_schema

STDOUT = "-"


class ExportFailed(Exception):
    """An export failed. The message is one line."""


@dataclass(slots=True)
class Written:
    """The rows and bytes written so far."""

    rows: int = 0
    bytes: int = 0


@click.command()
@click.option("--output", required=True, metavar="FILE", help="File to write; - is standard output.")
@click.option("--format", type=click.Choice(FORMATS), default=CSV, show_default=True)
@click.option("--of", type=click.Choice((EVENTS, ROLLUPS)), default=EVENTS, show_default=True)
@click.option("--from", metavar="TIME", help="Start of the range, such as 2025-10-18T01:15:00Z.")
@click.option("--to", metavar="TIME", help="End of the range, exclusive. Both are whole quarters of an hour.")
@click.option(
    "--hours",
    metavar="N",
    help="The last N hours, including the current one, instead of --from and --to. Default: 168.",
)
@click.option(
    *("--filter", "filters"),
    multiple=True,
    metavar="NAME=VALUE",
    help="Only events with this value. Names: event_type, tool_name, action, risk_mode, demo_mode, session_id,"
    " user_id, where, segment.",
)
@click.option("--received-at", is_flag=True, help="Add the column received_at to events.")
def export(output: str, filters: tuple[str, ...], **asked: Any) -> None:
    """Write the events or rollups of a range to a file, like GET /api/analytics/export.

    \b
    csv      for spreadsheets; a text that looks like a formula gets an apostrophe before it
    ndjson   an object on each line; import takes a file of events without --received-at
    parquet  with typed columns; needs the extra hourledger[parquet]

    FILE appears only once it is complete, and replaces a file of that name. Only its owner can read it. If part of the
    range is no longer kept, the last line says where the file begins. Exits 2 when the export failed.
    """  # noqa: D301  # click's mark of a paragraph that is not wrapped
    try:
        on_database(partial(run_export, output, parameters(asked, filters)))
    except KeyboardInterrupt:
        click.echo("error: interrupted", err=True)
        sys.exit(COULD_NOT)


def parameters(asked: Mapping[str, object], filters: Sequence[str]) -> dict[str, str]:
    """Return the options of the command as parameters of a query string. Raises ExportFailed."""
    given = {name: str(value).lower() if value is True else str(value) for name, value in asked.items() if value}
    for text in filters:
        name, equals, value = text.partition("=")
        if name not in NAMES or not equals:
            raise ExportFailed(f"--filter {text!r}: expected name=value, names are {', '.join(sorted(NAMES))}")
        if name in given:
            raise ExportFailed(f"--filter {name}=: expected once, given again")
        given[name] = value
    return given


async def run_export(output: str, given: Mapping[str, str], url: str, settings: Settings) -> None:
    """Write an export and print its summary. Raises ExportFailed and sql.errors.DatabaseError."""
    if settings.database_url is None:
        await prepare(url, settings)
    else:
        await check_schema(url)
    database = Database(url, connections=1)
    segments = Segments(database, database)
    exports = Exports(url, segments, lambda: datetime.now(UTC))
    written = Written()
    try:
        async with exports.begun(await exports.question(given)) as export:
            with _file(output) as file:
                await _write(export, file, written)
            click.echo(_summary(output, export, written), err=output == STDOUT)
    except ServiceError as error:
        raise ExportFailed(error.message) from error
    finally:
        await exports.close()
        await database.close()


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


def _summary(output: str, export: Export, written: Written) -> str:
    question = export.question
    cut = f" (before {time_text(export.since)} nothing is kept)" if export.since > question.since else ""
    rows = counted(written.rows, "event" if question.of == EVENTS else "row")
    return (
        f"export: {rows}{'' if question.of == EVENTS else ' of rollups'} from"
        f" {time_text(export.since)} to {time_text(question.until)}{cut}: {written.bytes:,} bytes of {question.form} to"
        f" {'standard output' if output == STDOUT else output}"
    )
