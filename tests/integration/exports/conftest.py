"""A log of old days, for exports."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.support.beginnings import filled
from tests.support.sharded import Sharded, sharded_log


@pytest_asyncio.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
async def old(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, request.param, filled(request.param)) as sharded:
        yield sharded
