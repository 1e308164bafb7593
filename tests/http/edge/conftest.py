"""Services that the tests of the edge share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.conftest import WRITE_KEY
from tests.http.support.described import (
    TOLD_BY_BODY,
    WRITES,
    send,
)
from tests.http.support.keyed import Guarded, new_guarded
from tests.http.support.site import Site, new_site


@pytest.fixture(scope="package")
def told(site: Site) -> Site:
    """Give a service that holds the examples of events and of saved objects."""
    for operation in [*WRITES, *TOLD_BY_BODY]:
        for name, content_type, value in operation.bodies:
            send(site, operation, content_type, value, name)
    return site


@pytest_asyncio.fixture(scope="package")
async def keyed(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with a write key, and neither a read token nor origins."""
    async with new_site(servers, folder, HOURLEDGER_WRITE_KEY=WRITE_KEY) as site:
        yield site


@pytest_asyncio.fixture(scope="package")
async def keyed_sites(servers: Servers, folder: Path) -> AsyncIterator[Guarded]:
    """Give a service with two workers, two sites and keys of each kind."""
    async with new_guarded(servers, folder) as found:
        yield found
