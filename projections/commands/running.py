"""Runs a command on the configured database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click
import msgspec

from service.console import configure_logs
from service.settings import Settings, SettingsError, load
from sql.database import Database
from sql.embedded.working_database import server
from sql.errors import DatabaseError, EmbeddedError
from sql.migrate import check_schema, migrate

WRONG = 1
COULD_NOT = 2
# An hour may hold tens of millions of events.
STATEMENT_SECONDS = 3_600
# Two hours are rebuilt at a time, and each waits for the other's lock on the checkpoint.
LOCK_SECONDS = 1_800


def run(work: Callable[[Database, Settings], Awaitable[int]]) -> None:
    """Do `work` on the configured database and exit with the code it returns. On error, print one line and exit 2."""
    try:
        settings = load()
        configure_logs(settings.log_level, as_json=settings.log_json)
        with server(settings.database_url, settings.data_dir) as url:
            code = asyncio.run(_work(work, url, settings))
    except (SettingsError, EmbeddedError, DatabaseError, msgspec.DecodeError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        code = COULD_NOT
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        code = COULD_NOT
    sys.exit(code)


async def _work(work: Callable[[Database, Settings], Awaitable[int]], url: str, settings: Settings) -> int:
    if settings.database_url is None:
        await migrate(url, shards=settings.shards)  # only an embedded database is ours to migrate unasked
    async with _opened(url) as database:
        await check_schema(url)
        return await work(database, settings)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, statement_seconds=STATEMENT_SECONDS, lock_seconds=LOCK_SECONDS)
    try:
        yield database
    finally:
        await database.close()
