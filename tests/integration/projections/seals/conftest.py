"""A log whose first days are sealed and dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import Servers
from tests.support.beginnings import retired
from tests.support.sharded import Sharded, sharded_log


@pytest_asyncio.fixture
async def sealed(servers: Servers, postgres_version: int) -> AsyncIterator[Sharded]:
    """Give a log on one shard whose first four days are retired."""
    async with sharded_log(servers, postgres_version, 1, retired(1, 3, grace_days=2)) as log:
        yield log
