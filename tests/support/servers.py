"""PostgreSQL for the tests: workers share one server per version; each test gets a clone of a database that is ready.

With `TEST_DATABASE_URL`, tests use your own server instead; its role must be allowed to create databases.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
# A template is made by one worker at a time. Both take its name.
LOCK = "select pg_advisory_lock(hashtextextended($1, 0))"
UNLOCK = "select pg_advisory_unlock(hashtextextended($1, 0))"
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


@dataclass(frozen=True)
class Beginning:
    """What a database, and a folder of files, hold at first: each is made once in a run, and cloned for each test.

    name: of the template. make: fills the database of a URL, and a folder. after: what both hold before.
    """

    name: str
    make: Callable[[str, Path], Awaitable[None]]
    after: Beginning | None = None


def migrated(shards: int) -> Beginning:
    """Return a migrated database that has its days."""

    async def make(url: str, _: Path) -> None:
        await migrate(url, shards=shards)
        database = Database(url, connections=1)
        await make_days(database, RETENTION_DAYS)
        await database.close()

    return Beginning(f"migrated_{shards}", make)


@dataclass
class Servers:
    """The servers that all workers of a test run share; the first worker that needs one starts it."""

    folder: Path
    opened: ExitStack
    running: dict[int, EmbeddedServer] = field(default_factory=dict)
    administrators: dict[int, asyncpg.Connection[asyncpg.Record]] = field(default_factory=dict)
    templates: set[tuple[int, str]] = field(default_factory=set)

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
    async def new_database(
        self, version: int, *, shards: int | None = 1, begins: Beginning | None = None, files: Path | None = None
    ) -> AsyncIterator[str]:
        """Give the URL of a new database; unless `shards` is None it is migrated and has its days.

        begins: what it holds instead. files: where copies of the files of `begins` go.
        """
        administrator = await self.administrator(version)
        template = "template1"
        if begins is not None or shards is not None:
            begins = begins or migrated(shards or 1)
            template = await self._template(version, begins)
            if files is not None:
                shutil.copytree(self._files(version, begins), files, dirs_exist_ok=True)
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

    async def _template(self, version: int, begins: Beginning) -> str:
        name = f"template_{RUN[:12]}_{begins.name}"
        if (version, name) not in self.templates:
            administrator = await self.administrator(version)
            await administrator.execute(LOCK, name)
            try:
                if not await administrator.fetchval("select count(*) from pg_database where datname = $1", name):
                    await self._make_template(version, name, begins)
            finally:
                await administrator.execute(UNLOCK, name)
            self.templates.add((version, name))
        return name

    def _files(self, version: int, begins: Beginning) -> Path:
        return self.folder / f"files_{version}" / begins.name

    async def _make_template(self, version: int, name: str, begins: Beginning) -> None:
        before = "template1" if begins.after is None else await self._template(version, begins.after)
        folder = self._files(version, begins)
        shutil.rmtree(folder, ignore_errors=True)  # of a worker that ended meanwhile
        folder.mkdir(parents=True)
        if begins.after is not None:
            shutil.copytree(self._files(version, begins.after), folder, dirs_exist_ok=True)
        administrator = await self.administrator(version)
        unfinished = f"unfinished_{uuid4().hex}"
        await administrator.execute(f'create database "{unfinished}" template "{before}"')
        await begins.make(self.url(version, unfinished), folder)
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
