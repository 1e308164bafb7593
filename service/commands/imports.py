"""What `make import` does around the import itself: the schema before it, one line after it, an exit code."""

from __future__ import annotations

import click

from service.imports.importer import Job, Tally, import_file
from service.imports.targets import Log
from service.operations.supervisor import prepare
from service.settings import Settings
from sql.database import Database
from sql.migrate import check_schema

SOME_REJECTED = 1


async def run_import(job: Job, url: str, settings: Settings) -> int:
    """Import a file and print what became of its rows; return the exit code, 0 or 1.

    Raises what `import_file` raises, after the line.
    """
    if job.dry_run and settings.database_url is not None:
        await check_schema(url)  # a dry run changes nothing in a database that is not ours alone
    else:
        await prepare(url, settings)
    database = Database(url)
    tally = Tally()
    ended = False
    try:
        await import_file(Log(database, settings.event_retention_days), job, tally)
        ended = True
    finally:
        if ended or tally.read:
            click.echo(tally.summary(job))
        await database.close()
    return SOME_REJECTED if tally.rejected else 0
