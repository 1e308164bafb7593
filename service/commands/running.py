"""Runs a command with the settings, on the configured database or on the embedded server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.access.sites import HOW_TO_LIST, Site, read_sites
from service.console import CommandFailed, configure_logs, option
from service.errors import ServiceError, UnknownSite
from service.operations.supervisor import prepare
from service.settings import Settings, SettingsError, load
from service.settings.temporary import choose_temporary_folder
from sql.database import Database
from sql.embedded.share import EmbeddedServer, use
from sql.embedded.working_database import check_made, server
from sql.migrate import check_schema

# The exit code of a command that failed.
COULD_NOT = 2

Result = TypeVar("Result")


def load_settings(data_dir: str | None = None) -> Settings:
    """Load the settings and configure the logs. data_dir: the data directory when the environment names none."""
    loaded = load(data_dir=data_dir)
    configure_logs(loaded.log_level, as_json=loaded.log_json)
    return loaded


def on_database(work: Callable[[str, Settings], Awaitable[Result]], *, makes: bool = False) -> Result:
    """Run `work` with the settings and the URL of the configured or embedded database. Return its result.

    makes: make the embedded database when there is none.
    """
    loaded = load_settings()

    async def run(url: str) -> Result:
        return await work(url, loaded)

    with server(loaded.database_url, loaded.data_dir, makes=makes) as url:
        choose_temporary_folder(loaded)
        return asyncio.run(run(url))


def on_access(work: Callable[[Database], Awaitable[None]]) -> None:
    """Run `work`, which reads or changes sites or keys, on the configured or embedded database."""

    async def on(url: str, settings: Settings) -> None:
        if settings.database_url is None:
            await prepare(url, settings)
        else:
            await check_schema(url)
        database = Database(url, connections=1)
        try:
            await work(database)
        except ServiceError as error:
            raise CommandFailed(error.message) from error
        finally:
            await database.close()

    on_database(on, makes=True)


async def site_named(database: Database, name: str | None) -> Site:
    """Return a site, the default one for None. Raises CommandFailed, and sql.errors.DatabaseError."""
    try:
        return (await read_sites(database)).named(name)
    except UnknownSite as error:
        raise CommandFailed(f"{option('site', name or '')}: there is no such site; {HOW_TO_LIST}") from error


def embedded(*, makes: bool = False) -> EmbeddedServer:
    """Return a share in the embedded server. Raises SettingsError when DATABASE_URL is set.

    makes: make the embedded database when there is none.
    """
    loaded = load_settings()
    if loaded.database_url is not None:
        raise SettingsError("DATABASE_URL is set: use pg_dump and pg_restore of that server, see docs/operations.md")
    if not makes:
        check_made(loaded.data_dir)
    shared = use(loaded.data_dir)
    choose_temporary_folder(loaded)
    return shared
