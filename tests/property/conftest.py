"""The examples of a property share a database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.histories import leave


@pytest_asyncio.fixture
async def database_url(database_url: str) -> AsyncIterator[str]:
    """Give the URL of a migrated database; its histories' connections are closed afterwards."""
    yield database_url
    await leave(database_url)
