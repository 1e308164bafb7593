"""Services that tests share, because starting one takes a second or two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.support.known import Known, known_events
from tests.http.support.site import Site, new_site, now

WRITE_KEY = "write-key-4711-secret"
READ_TOKEN = "read-token-0815-secret"  # noqa: S105
ALLOWED_ORIGINS = ("https://app.example.com", "http://localhost:5173")


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("http")


@pytest_asyncio.fixture(scope="package")
async def site(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with default settings; tests that share it tell their events apart by names or hours."""
    async with new_site(servers, folder) as site:
        yield site
        site.check_log()


@pytest.fixture(scope="package")
def client(site: Site) -> httpx.Client:
    return site.client


@pytest_asyncio.fixture(scope="package")
async def known(servers: Servers, folder: Path) -> AsyncIterator[Known]:
    """Give a service that holds known events; its tests only read."""
    async with new_site(servers, folder) as site:
        events = known_events(now())
        site.send(*events)
        yield Known(site, events)
        site.check_log()


@pytest_asyncio.fixture(scope="package")
async def guarded(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with a write key, a read token, allowed hosts and origins, and a log at debug level."""
    async with new_site(
        servers,
        folder,
        HOURLEDGER_WRITE_KEY=WRITE_KEY,
        HOURLEDGER_READ_TOKEN=READ_TOKEN,
        HOURLEDGER_ALLOWED_HOSTS="127.0.0.1, Stats.Example.com,[::1]",
        HOURLEDGER_CORS_ORIGINS=",".join(ALLOWED_ORIGINS),
        HOURLEDGER_LOG="debug",
    ) as site:
        yield site


@pytest_asyncio.fixture(scope="package")
async def open_to_all(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with open reads, where any origin may send and any host name is allowed."""
    async with new_site(
        servers,
        folder,
        HOURLEDGER_OPEN_READS="1",
        HOURLEDGER_CORS_ORIGINS="*",
        HOURLEDGER_ALLOWED_HOSTS="*",
    ) as site:
        yield site
        site.check_log()
