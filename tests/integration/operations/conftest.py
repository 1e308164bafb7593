"""A log for the views of the schema bi."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.support import beginnings
from tests.support.sharded import Sharded, sharded_log


@pytest_asyncio.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
async def aged(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a log with its first two days retired and an unfolded tail of late events."""
    async with sharded_log(servers, postgres_version, request.param, beginnings.aged(request.param)) as sharded:
        yield sharded
