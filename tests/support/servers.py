"""PostgreSQL for the tests: workers share one server per version; each test gets a clone of a migrated database.

With `TEST_DATABASE_URL`, tests use your own server instead; its role must be allowed to create databases.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import psutil

from sql.database import Database
from sql.days import make_days
from sql.embedded.share import EmbeddedServer, use
from sql.migrate import migrate

OWN_SERVER = os.environ.get("TEST_DATABASE_URL")
NEWEST = 18
VERSIONS = (18, 16)
# Fewer days than the default, because a database with fewer partitions is cloned faster.
RETENTION_DAYS = 7
# These servers need no durability, because tests on clones kill only clients. Fault tests start durable ones.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on", "max_connections": "400"}
# The same in all workers of a run.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
MAKE_TEMPLATE = 4711
MEMORY = Path("/dev/shm")  # noqa: S108
MEMORY_NEEDED = 3 * 2**30


def folder_of_folders() -> Path | None:
    """Return /dev/shm if it has room, because it makes and removes files 20 times faster; None for the default."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return MEMORY if room > MEMORY_NEEDED else None


@contextmanager
def folder_for_servers() -> Iterator[Path]:
    """Give a folder that the server's user can enter even when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="hourledger-", dir=folder_of_folders()) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@dataclass
class Servers:
    """The servers that all workers of a test run share; the first worker that needs one starts it."""

    folder: Path
    opened: ExitStack
    running: dict[int, EmbeddedServer] = field(default_factory=dict)
    administrators: dict[int, asyncpg.Connection[asyncpg.Record]] = field(default_factory=dict)
    templates: set[tuple[int, int]] = field(default_factory=set)

    def url(self, version: int, name: str = "postgres") -> str:
        """Return the URL of a database."""
        if OWN_SERVER is not None:
            return urlunsplit(urlsplit(OWN_SERVER)._replace(path=f"/{name}"))
        if version not in self.running:
            data = self.folder / str(version)
            self.running[version] = self.opened.enter_context(use(data, version=version, settings=FAST))
        return self.running[version].database_url(name)

    async def administrator(self, version: int) -> asyncpg.Connection[asyncpg.Record]:
        """Return a connection that makes and drops databases."""
        if version not in self.administrators:
            self.administrators[version] = await asyncpg.connect(self.url(version))
        return self.administrators[version]

    @asynccontextmanager
    async def new_database(self, version: int, *, shards: int | None = 1) -> AsyncIterator[str]:
        """Give the URL of a new database; unless `shards` is None it is migrated and has its days."""
        administrator = await self.administrator(version)
        template = "template1" if shards is None else await self._template(version, shards)
        name = f"test_{uuid4().hex}"
        await administrator.execute(f'create database "{name}" template "{template}" strategy file_copy')
        try:
            yield self.url(version, name)
        finally:
            await administrator.execute(f'drop database "{name}" with (force)')

    async def close(self) -> None:
        """Leave the servers; the last worker that leaves stops them."""
        for administrator in self.administrators.values():
            await administrator.close()

    async def _template(self, version: int, shards: int) -> str:
        name = f"template_{RUN}_{shards}"
        if (version, shards) not in self.templates:
            administrator = await self.administrator(version)
            await administrator.execute(f"select pg_advisory_lock({MAKE_TEMPLATE})")
            try:
                if not await administrator.fetchval("select count(*) from pg_database where datname = $1", name):
                    await self._make_template(version, name, shards)
            finally:
                await administrator.execute(f"select pg_advisory_unlock({MAKE_TEMPLATE})")
            self.templates.add((version, shards))
        return name

    async def _make_template(self, version: int, name: str, shards: int) -> None:
        administrator = await self.administrator(version)
        unfinished = f"unfinished_{uuid4().hex}"
        await administrator.execute(f'create database "{unfinished}"')
        await migrate(self.url(version, unfinished), shards=shards)
        database = Database(self.url(version, unfinished), connections=1)
        await make_days(database, RETENTION_DAYS)
        await database.close()
        await administrator.execute(f'alter database "{unfinished}" rename to "{name}"')


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Give a direct connection, as an administrator would have."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def execute(url: str, *scripts: str) -> None:
    """Run each script on its own."""
    async with connected(url) as connection:
        for script in scripts:
            await connection.execute(script)
