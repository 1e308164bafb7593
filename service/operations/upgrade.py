"""An upgrade: a backup, the steps of the schema, a check of every number, and the way back when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from service.console import CommandFailed
from service.operations.backup import restore
from service.operations.projections_process import run_projections
from service.operations.supervisor import prepare
from service.settings import Settings
from sql.database import Database
from sql.embedded.replacement import drop_replacement, make_replacement, put_in_place
from sql.embedded.share import EmbeddedServer
from sql.errors import DatabaseError, EmbeddedError
from sql.migrate import Migration, rollback
from sql.untouched import Touched, check_untouched

CLEAN = 0
WRONG = 1
STAYS = (
    "the database stays as the upgrade left it, because going back could lose events: {};"
    " stop the service, then run make upgrade again, or make rollback for each step that the former release lacks"
)
FAILURES = (CommandFailed, DatabaseError, EmbeddedError)


class UpgradeFailed(CommandFailed):
    """An upgrade failed. The message is one line, and says in which state the database is."""


def upgrade(url: str, settings: Settings, go_back: Callable[[], None], *, force: bool) -> list[Migration]:
    """Bring the schema to the newest version and verify every hour. Return the steps taken.

    go_back: brings back the state from before. It is called when anything fails, also when the user interrupts.
    force: keep the new schema although verify finds something wrong, or cannot check.
    Raises UpgradeFailed. Services must not run meanwhile.
    """
    try:
        steps = asyncio.run(prepare(url, settings))
        _check(url, force=force)
    except BaseException as failure:
        why = str(failure) or "interrupted"
        try:
            go_back()
        except Touched as touched:
            raise UpgradeFailed(f"{why}; {STAYS.format(touched)}") from failure
        except FAILURES as error:
            raise UpgradeFailed(f"{why}; and the state from before could not be brought back: {error}") from failure
        raise UpgradeFailed(f"{why}; the database is again as it was before the upgrade") from failure
    return steps


def _check(url: str, *, force: bool) -> None:
    """Run `projections verify`, which prints what it finds. Raises UpgradeFailed unless all is right."""
    code = run_projections(url, "verify")
    if code != CLEAN and not force:
        found = "found something wrong" if code == WRONG else "could not check everything"
        raise UpgradeFailed(f"verify {found}")


def restore_beside(file: Path, server: EmbeddedServer, archive: Path, positions: int) -> None:
    """Restore a backup into a second database, and let it take the place of the server's.

    positions: how far the log had come before the backup. Raises sql.untouched.Touched when it has come further, or
    a service uses the database; CommandFailed; and sql.errors.DatabaseError. The server's database is then as it was.
    """
    try:
        asyncio.run(check_untouched(server.url, positions))  # a restore takes long, and writes to the archive
        _replace(file, server, archive, positions)
    except Touched as touched:
        raise Touched(f"{touched}; the backup {file} is kept") from touched


def _replace(file: Path, server: EmbeddedServer, archive: Path, positions: int) -> None:
    replacement = asyncio.run(make_replacement(server))
    try:
        restore(file, replacement, archive)
        asyncio.run(put_in_place(server, positions))
    except BaseException:
        asyncio.run(drop_replacement(server))  # it takes room
        raise


async def schema_version(url: str) -> int:
    """Return the version of the schema; 0 for an empty database."""
    database = Database(url, connections=1)
    statements = database.statements
    try:
        if not (await database.only(statements.has_schema))["present"]:
            return 0
        return int((await database.only(statements.read_schema_version))["version"])
    finally:
        await database.close()


async def step_down(url: str, version: int, positions: int) -> None:
    """Take the schema down to a version. Raises sql.errors.DatabaseError when a step would lose rows.

    positions: how far the log had come before. Raises sql.untouched.Touched as `restore_beside` does.
    """
    await check_untouched(url, positions)
    while await schema_version(url) > version:
        await rollback(url)
