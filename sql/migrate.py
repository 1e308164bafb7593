"""Schema migrations: numbered pairs of plain SQL files. Every run also replaces the functions and changed views.

Why not a library: docs/decisions/0001-migrations.md. Views for other tools: docs/decisions/0012-bi-views.md.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from sql.errors import DatabaseError, translated
from sql.statements import load

MIGRATIONS = Path(__file__).parent / "migrations"
OLDEST_SERVER = 150_000
FUNCTIONS = Path(__file__).parent / "functions"
VIEWS = Path(__file__).parent / "views"

log = structlog.get_logger(__name__)


class SchemaRefused(DatabaseError):
    """The schema cannot be used, upgraded or rolled back by this code; the message says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    up: Path
    down: Path

    def loses(self) -> list[str]:
        """Return the tables whose rows a step down would lose, from the `-- loses:` line of its file."""
        found = re.search(r"^-- loses: (.+)$", self.down.read_text(encoding="utf-8"), re.MULTILINE)
        return found[1].split(", ") if found else []


def list_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the steps in order. Raises ValueError when their numbers are not 1, 2, 3, … or a pair lacks a file."""
    ups = sorted(folder.glob("*.up.sql"))
    found = [
        Migration(int(up.name[:4]), up.name[5:-7], up, up.with_name(up.name.replace(".up.", ".down."))) for up in ups
    ]
    paired = {m.down for m in found} == set(folder.glob("*.down.sql"))
    if [m.version for m in found] != list(range(1, len(found) + 1)) or not paired:
        raise ValueError(f"migrations in {folder} must be numbered from 0001 without a gap, each with up and down")
    return found


@cache
def newest_version() -> int:
    """Return the schema version that this code is written for."""
    return len(list_migrations())


async def migrate(url: str, *, shards: int | None = None) -> list[Migration]:
    """Bring the schema to the newest version and install the functions; return the steps taken.

    shards: number of shards that an empty database gets (default 1). Any number of processes may migrate at once.
    Raises SchemaRefused when the database is newer than the code, or has another number of shards.
    """
    taken: list[Migration] = []
    async with _connected(url) as connection:
        while (step := await _step_up(connection)) is not None:
            taken.append(step)
        await _install(connection, shards)
    return taken


async def rollback(url: str, *, force: bool = False) -> Migration | None:
    """Take the schema one step down; return the step, or None when there is none left.

    Raises SchemaRefused when the step would lose rows and `force` is not given.
    """
    async with _connected(url) as connection, connection.transaction():
        return await _step_down(connection, force=force)


async def check_unused(url: str) -> None:
    """Raise SchemaRefused while a service or a command uses the database: without its schema it would fail."""
    async with _connected(url) as connection:
        if users := await connection.fetchval(load().count_users):
            raise SchemaRefused(f"hourledger uses this database now ({users} connections): stop the service first")


async def check_schema(url: str) -> None:
    """Raise SchemaRefused unless the schema is the one that this code is written for."""
    async with _connected(url) as connection:
        present = await connection.fetchval(load().has_schema)
        version = await connection.fetchval(load().read_schema_version) if present else 0
    _refuse_newer(version)
    if version < newest_version():
        raise SchemaRefused(f"the database is at schema version {version}, older than this code: run make migrate")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    with translated():
        connection: Any = await asyncpg.connect(url, statement_cache_size=0, timeout=10)
        try:
            _refuse_unfit(await connection.fetchrow(load().describe_server))
            yield connection
        finally:
            await connection.close()


def _refuse_unfit(server: Any) -> None:
    if server["version"] < OLDEST_SERVER:
        raise SchemaRefused(f"PostgreSQL 15 or newer is needed, not {server['version'] // 10_000}")
    if server["encoding"] != "UTF8":
        raise SchemaRefused(f"the database's encoding must be UTF8, not {server['encoding']}")


def _refuse_newer(version: int) -> None:
    if version > newest_version():
        raise SchemaRefused(f"the database is at schema version {version}, newer than this code ({newest_version()})")


async def _locked_version(connection: Any) -> int:
    """Return the schema's version; no other process can change it until the transaction ends."""
    statements = load()
    if not await connection.fetchval(statements.has_schema):
        # Another process may be making it, or its type: then this waits for that one's transaction.
        with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError):
            async with connection.transaction():
                await connection.execute(statements.create_schema_migrations)
    await connection.execute(statements.lock_schema)
    version: int = await connection.fetchval(statements.read_schema_version)
    _refuse_newer(version)
    return version


async def _step_up(connection: Any) -> Migration | None:
    migrations = list_migrations()
    async with connection.transaction():
        version = await _locked_version(connection)
        if version == len(migrations):
            return None
        step = migrations[version]
        await _drop_views(connection)
        await connection.execute(step.up.read_text(encoding="utf-8"))
        await connection.execute(load().record_migration, step.version, step.name)
        if step.version == len(migrations):
            # `create or replace` would fail where an older release's function returns other rows.
            await _drop_functions(connection)
            await _install_code(connection)
    return step


async def _step_down(connection: Any, *, force: bool) -> Migration | None:
    statements = load()
    version = await _locked_version(connection)
    if version == 0:
        return None
    step = list_migrations()[version - 1]
    # The other functions may not fit this older schema.
    await _install_functions(connection, "has_rows")
    for table in step.loses():
        if not force and await connection.fetchval(statements.has_rows, table):
            raise SchemaRefused(f"rolling back {step.name} would lose the rows of {table}; FORCE=1 does it anyway")
    await _drop_views(connection)
    await _drop_functions(connection)
    await connection.execute(step.down.read_text(encoding="utf-8"))
    await connection.execute(statements.forget_migration, version)
    return step


async def _install(connection: Any, shards: int | None) -> None:
    async with connection.transaction():
        await _locked_version(connection)
        await _install_code(connection)
        await connection.execute(load().create_shards, shards or 1)
        existing = len(await connection.fetch(load().list_shards_of_site, 0))  # the default site's
        if shards not in (None, existing):
            raise SchemaRefused(f"HOURLEDGER_SHARDS is {shards}, but this database was created with {existing}")


async def _install_code(connection: Any) -> None:
    """Install functions and views, and set who may use them in the same transaction."""
    functions = [*_files(FUNCTIONS)]
    await _install_functions(connection)
    await _install_views(connection)
    # `create or replace` keeps an older release's function whose arguments differ, beside the new one.
    for left in await connection.fetch(load().drop_old_functions, functions):
        log.warning("a function of an older release stays", function=left["signature"], needed_by=left["detail"])
    await connection.execute(load().grant_views, [*_files(VIEWS)], functions)
    for row in await connection.fetch(load().limit_bi_logins):
        log.warning("a reader has no limits, because our role may not set them", login=row["unlimited"])


async def _drop_views(connection: Any) -> None:
    """Drop our views, because they depend on tables and functions that change.

    Raises SchemaRefused when a user's views depend on ours.
    """
    await _install_functions(connection, "drop_views")
    try:
        await connection.execute(load().drop_views, [*_files(VIEWS)])
    except asyncpg.DependentObjectsStillExistError as error:
        built = "; ".join((error.detail or "").splitlines())
        raise SchemaRefused(
            f"the views of the schema bi must be recreated, but other objects depend on them ({built}): "
            "drop those first, and create them again afterwards"
        ) from error


async def _install_views(connection: Any) -> None:
    """Replace our views, but only when their text changed, because replacing a view waits for its readers."""
    script = "".join(file.read_text(encoding="utf-8") for file in _files(VIEWS).values())
    digest = sha256(script.encode()).hexdigest()
    # None: we may not create the schema bi, or it belongs to another role.
    if await connection.fetchval(load().open_views, [*_files(VIEWS)]) in (digest, None):
        return
    try:
        # Users' views on ours stay when ours are replaced in place.
        async with connection.transaction():
            await connection.execute(script)
    except asyncpg.InvalidTableDefinitionError:  # columns were removed or have other names or types
        await _drop_views(connection)
        await connection.execute(script)
    await connection.execute(load().sign_views, digest)


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.rglob("*.sql"))}


async def _drop_functions(connection: Any) -> None:
    await _install_functions(connection, "drop_functions")
    await connection.execute(load().drop_functions, [*_files(FUNCTIONS)])


async def _install_functions(connection: Any, *names: str) -> None:
    await connection.execute(load().allow_missing_functions)
    files = _files(FUNCTIONS)
    for name in names or files:
        await connection.execute(files[name].read_text(encoding="utf-8"))
