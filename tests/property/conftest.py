"""The examples of a property share a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from hypothesis import settings

from tests.conftest import NEWEST
from tests.support.histories import leave

# Of the examples on the newest version, other versions try this part: what they may do otherwise shows in any history.
PART = 3


@pytest_asyncio.fixture
async def database_url(database_url: str) -> AsyncIterator[str]:
    """Give the URL of a migrated database; its histories' connections are closed afterwards."""
    yield database_url
    await leave(database_url)


@pytest.fixture(autouse=True)
def _fewer_on_older_versions(request: pytest.FixtureRequest) -> Iterator[None]:
    test, usual = request.function, getattr(request.function, "_hypothesis_internal_use_settings", None)
    version = getattr(request.node, "callspec", None) and request.node.callspec.params.get("postgres_version", NEWEST)
    if usual is None or version in (None, NEWEST):
        yield
        return
    test._hypothesis_internal_use_settings = settings(usual, max_examples=-(-usual.max_examples // PART))
    yield
    test._hypothesis_internal_use_settings = usual
