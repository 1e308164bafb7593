"""Fixtures for all tests: a real PostgreSQL, its databases, a running service, and free ports."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio

from sql.database import Database
from tests.support import plain_http
from tests.support.environment import without_settings
from tests.support.server_versions import depends_on_version, has_shards_on_older_version
from tests.support.servers import (
    FAST,
    NEWEST,
    OWN_SERVER,
    RETENTION_DAYS,
    VERSIONS,
    Servers,
    execute,
    folder_for_servers,
)

__all__ = ["FAST", "NEWEST", "RETENTION_DAYS", "Servers", "execute", "folder_for_servers"]

TESTS = Path(__file__).parent
SHARED = TESTS.parents[1] / "shared"
# Below the ports of outgoing connections, because such a connection could take the port of a service that restarts.
PORTS = range(10_240, 32_768)
FOLDER = pytest.StashKey[ExitStack]()
# What takes longest, and what shares services or a browser.
LONG_FIRST = (
    ("property", "integration/projections"),
    ("http/edge", "http/exports", "docs"),
    ("faults", "http/ingest", "http/reports"),
    ("browser",),
)


def pytest_configure(config: pytest.Config) -> None:
    """Make one folder for the servers of all workers; it outlives the workers."""
    if not hasattr(config, "workerinput"):
        # A run that is ended by a signal, too, must stop its servers and remove their folder, which may be in memory.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        config.stash[FOLDER] = ExitStack()
        os.environ["HOURLEDGER_TEST_SERVERS"] = str(config.stash[FOLDER].enter_context(folder_for_servers()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of the servers."""
    if FOLDER in config.stash:
        config.stash[FOLDER].close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, object, object]:
    """Collect no garbage meanwhile, because a task that ends so may log its error.

    That parses a part of a program while the report parses another, which CPython 3.11 cannot (python/cpython#106905):
    the worker would end, and all its tests with it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Return two workers a core: tests of processes and browsers wait for those most of the time."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each worker, which takes an equal share of the list, what is long or shares services to begin with."""
    items[:] = [item for item in items if not has_shards_on_older_version(item)]
    workers = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    short = list(items)
    for number, folders in enumerate(LONG_FIRST):
        # A folder's question is asked once for each file, because paths are slow to compare and tests are many.
        long = {path for path in {item.path for item in short} if _is_below(path, folders)}
        shares[number % workers] += [item for item in short if item.path in long]
        short = [item for item in short if item.path not in long]
    for share in shares:
        wanted = max(0, -(-len(items) // workers) - len(share))
        share.extend(short[:wanted])
        del short[:wanted]
    items[:] = [item for share in shares for item in share]


def pytest_collection_finish() -> None:
    """Leave thousands of tests and all modules out of each collection of garbage from now on."""
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that depend on the server on every version, and all others on the newest."""
    if "postgres_version" in metafunc.fixturenames:
        versions = VERSIONS if OWN_SERVER is None and depends_on_version(metafunc.definition) else (NEWEST,)
        metafunc.parametrize("postgres_version", versions, scope="session")


def _is_below(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(TESTS / folder) for folder in folders)


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> None:
    """Let processes receive signals again that shells and nohup make background jobs and their children ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: None)  # this process goes on; programs that it starts end by it


@pytest_asyncio.fixture(scope="session")
async def servers() -> AsyncIterator[Servers]:
    with ExitStack() as opened:
        servers = Servers(Path(os.environ["HOURLEDGER_TEST_SERVERS"]), opened)
        yield servers
        await servers.close()


@pytest_asyncio.fixture
async def empty_database_url(servers: Servers, postgres_version: int) -> AsyncIterator[str]:
    """Give the URL of an empty database."""
    async with servers.new_database(postgres_version, shards=None) as url:
        yield url


@pytest_asyncio.fixture
async def database_url(servers: Servers, postgres_version: int) -> AsyncIterator[str]:
    """Give the URL of a migrated database with one shard and its days made."""
    async with servers.new_database(postgres_version) as url:
        yield url


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Give a migrated database."""
    database = Database(database_url)
    yield database
    await database.close()


def words_of(process: psutil.Process) -> list[str]:
    """Return the command line of a process; empty when it has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def free_port() -> int:
    """Return a port on which nothing listens; no other test of this or another run gets it while this process lives."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        reserved = socket.socket(type=socket.SOCK_DGRAM)
        with suppress(OSError), socket.socket() as found:
            reserved.bind(("127.0.0.1", port))
            found.bind(("127.0.0.1", port))
            reserved.detach()  # open until this process ends: a port of another protocol, which no other process gets
            return port
        reserved.close()


@dataclass
class RunningService:
    """The service as a user runs it: a supervisor process and its children. data: its data directory."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    data: Path

    def client(self) -> httpx.Client:
        """Return a client of this service."""
        return plain_http.new_client(self.url)


@contextmanager
def running_service(
    folder: Path, database_url: str | None = None, *, port: int | None = None, **environment: str
) -> Iterator[RunningService]:
    """Run `python -m service serve` during the block, once it is ready.

    Services with databases of their own get data directories of their own, because an archive belongs to one database.
    An embedded database is in `folder / "data"`.
    """
    port = port or free_port()
    log = folder / f"service-{port}.log"
    settings = {
        "HOURLEDGER_PORT": str(port),
        "HOURLEDGER_DATA_DIR": str(folder / (f"data-{port}" if database_url else "data")),
        **({"DATABASE_URL": database_url} if database_url else {}),
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], env=without_settings() | settings, stdout=output, stderr=output
        )
        running = RunningService(f"http://127.0.0.1:{port}", process, log, Path(settings["HOURLEDGER_DATA_DIR"]))
        try:
            wait_until_ready(running)
            yield running
        finally:
            process.terminate()
            process.wait(120)


def wait_until_ready(running: RunningService, seconds: float = 120) -> None:
    """Wait until the service is ready; fail with its last answer and its log when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    told = ""
    while time.monotonic() < deadline and running.process.poll() is None:
        try:
            answer = plain_http.get(f"{running.url}/health/ready", timeout=20)
        except httpx.TransportError as error:
            told = f"{error!r}"
        else:
            told = answer.text
            if answer.status_code == httpx.codes.OK:
                return
        time.sleep(0.05)
    pytest.fail(f"the service is not ready: {told} {running.log.read_text()[-2000:]}")


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[RunningService]:
    """Give a running service with its own database."""
    with running_service(tmp_path, database_url) as running:
        yield running


@pytest.fixture
def shared_data() -> Path:
    """Give the folder of shared test data. Tests skip without it, except in CI, where it must exist."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the shared folder beside the clone is missing")
        pytest.skip("needs the shared folder beside the clone")
    return SHARED / "data"
