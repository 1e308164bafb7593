"""Runs a command with the settings, on the configured database or on the embedded server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.console import configure_logs
from service.settings import Settings, SettingsError, load
from service.settings.temporary import choose_temporary_folder
from sql.embedded.share import EmbeddedServer, use
from sql.embedded.working_database import check_made, server

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
