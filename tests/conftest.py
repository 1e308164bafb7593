"""A real PostgreSQL for every test: one server for each version, one template database, a clone of it for each test.

`TEST_DATABASE_URL` uses a server of one's own instead; its role must be allowed to create databases.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest
import pytest_asyncio

from sql.database import Database
from sql.days import make_days
from sql.embedded.share import EmbeddedServer, use
from sql.migrate import migrate

OWN_SERVER = os.environ.get("TEST_DATABASE_URL")
SHARED = Path(__file__).parents[2] / "shared"
# Fewer days than the default: a database of fewer partitions is cloned faster.
RETENTION_DAYS = 7
NEWEST = 18
VERSIONS = (18, 16)
# What survives a power cut is not what tests on a clone ask about; the fault tests start servers of their own.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what works on the database alone on every version; processes and faults on the newest."""
    if "postgres_version" in metafunc.fixturenames:
        everywhere = kind_of(metafunc.definition.path) in ("integration", "property") and OWN_SERVER is None
        metafunc.parametrize("postgres_version", VERSIONS if everywhere else (NEWEST,), scope="session")


def kind_of(test: Path) -> str:
    """Return the folder below tests/ that a test is in, however deep: unit, property, integration, http."""
    return test.relative_to(Path(__file__).parent).parts[0]


@dataclass
class Servers:
    """The servers of this test session, each started when first asked for, with a migrated template database."""

    folder: Path
    opened: ExitStack
    running: dict[int, EmbeddedServer] = field(default_factory=dict)
    templates: dict[int, str] = field(default_factory=dict)
    administrators: dict[int, asyncpg.Connection[asyncpg.Record]] = field(default_factory=dict)

    def url(self, version: int, name: str = "postgres") -> str:
        """Return the URL of a database."""
        if OWN_SERVER is not None:
            return urlunsplit(urlsplit(OWN_SERVER)._replace(path=f"/{name}"))
        if version not in self.running:
            data = self.folder / str(version)
            self.running[version] = self.opened.enter_context(use(data, version=version, settings=FAST))
        return self.running[version].database_url(name)

    async def administer(self, version: int, script: str) -> None:
        """Run a script as the administrator of a server."""
        if version not in self.administrators:
            self.administrators[version] = await asyncpg.connect(self.url(version))
        await self.administrators[version].execute(script)

    async def close(self) -> None:
        """Leave the servers; they are stopped afterwards."""
        for administrator in self.administrators.values():
            await administrator.close()

    async def template(self, version: int) -> str:
        """Return the name of the migrated database that tests clone."""
        if version not in self.templates:
            name = f"template_{uuid4().hex}"
            await self.administer(version, f'create database "{name}"')
            await migrate(self.url(version, name))
            database = Database(self.url(version, name), connections=1)
            await make_days(database, RETENTION_DAYS)
            await database.close()
            self.templates[version] = name
        return self.templates[version]


async def execute(url: str, *scripts: str) -> None:
    """Run scripts, each by itself, as an administrator of the database would."""
    connection = await asyncpg.connect(url)
    try:
        for script in scripts:
            await connection.execute(script)
    finally:
        await connection.close()


@contextmanager
def folder_for_servers() -> Iterator[Path]:
    """Give a folder that the server's own user can enter, too, when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="hourledger-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest_asyncio.fixture(scope="session")
async def servers() -> AsyncIterator[Servers]:
    with folder_for_servers() as folder, ExitStack() as opened:
        servers = Servers(folder, opened)
        yield servers
        await servers.close()


@pytest_asyncio.fixture
async def empty_database_url(servers: Servers, postgres_version: int) -> AsyncIterator[str]:
    """Give the URL of an empty database."""
    name = f"test_{uuid4().hex}"
    await servers.administer(postgres_version, f'create database "{name}"')
    yield servers.url(postgres_version, name)
    await servers.administer(postgres_version, f'drop database "{name}" with (force)')


@pytest_asyncio.fixture
async def database_url(servers: Servers, postgres_version: int) -> AsyncIterator[str]:
    """Give the URL of a migrated database with one shard and its days made."""
    name = f"test_{uuid4().hex}"
    template = await servers.template(postgres_version)
    await servers.administer(postgres_version, f'create database "{name}" template "{template}"')
    yield servers.url(postgres_version, name)
    await servers.administer(postgres_version, f'drop database "{name}" with (force)')


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give a migrated database."""
    database = Database(database_url)
    yield database
    await database.close()


def words_of(process: psutil.Process) -> list[str]:
    """Return the command line of a process; none when it has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def free_port() -> int:
    """Return a port that nobody listens on, and that no other worker of these tests is given."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = int(found.getsockname()[1])
        # The kernel gives every second port to who asks for any.
        if port // 2 % 16 == worker % 16:
            return port


@dataclass
class RunningService:
    """The service as a user runs it: a supervisor process and what it starts."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def client(self) -> httpx.Client:
        """Return a client of this service."""
        return httpx.Client(base_url=self.url, timeout=60)


@contextmanager
def running_service(
    folder: Path, database_url: str | None = None, *, port: int | None = None, **environment: str
) -> Iterator[RunningService]:
    """Run `python -m service serve` until it is left; wait until it is ready."""
    port = port or free_port()
    log = folder / f"service-{port}.log"
    settings = {
        "HOURLEDGER_PORT": str(port),
        "HOURLEDGER_DATA_DIR": str(folder / "data"),
        **({"DATABASE_URL": database_url} if database_url else {}),
        **environment,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HOURLEDGER_", "DATABASE_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], env=inherited | settings, stdout=output, stderr=output
        )
        running = RunningService(f"http://127.0.0.1:{port}", process, log)
        try:
            wait_until_ready(running)
            yield running
        finally:
            process.terminate()
            process.wait(120)


def wait_until_ready(running: RunningService, seconds: float = 120) -> None:
    """Return when the service is ready; fail with its log when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running.process.poll() is None:
        try:
            if httpx.get(f"{running.url}/health/ready", timeout=20).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"the service is not ready: {running.log.read_text()[-2000:]}")


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[RunningService]:
    """Give the running service on a database of its own."""
    with running_service(tmp_path, database_url) as running:
        yield running


@pytest.fixture
def shared_data() -> Path:
    """Give the folder of shared test data; a clone without it skips, CI must have it."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the shared folder beside the clone is missing")
        pytest.skip("needs the shared folder beside the clone")
    return SHARED / "data"
