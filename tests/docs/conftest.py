"""A service for the snippets and questions of the pages, and a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.conftest import browser, context
from tests.conftest import Servers
from tests.http.support.site import Site, new_site

__all__ = ["browser", "context", "folder", "site"]


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs")


@pytest_asyncio.fixture(scope="package")
async def site(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service that pages of any origin may send to."""
    async with new_site(servers, folder, HOURLEDGER_CORS_ORIGINS="*") as site:
        yield site
        site.check_log()
