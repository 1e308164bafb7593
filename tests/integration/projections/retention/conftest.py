"""Folded logs of old days."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.support.beginnings import filled
from tests.support.sharded import Sharded, sharded_log


@pytest.fixture(params=[1, 8])
def shards(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest_asyncio.fixture
async def old(servers: Servers, postgres_version: int, shards: int) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, shards, filled(shards)) as sharded:
        yield sharded


@pytest_asyncio.fixture
async def log(servers: Servers, postgres_version: int) -> AsyncIterator[Sharded]:
    """Give a folded log of old days on one shard."""
    async with sharded_log(servers, postgres_version, 1, filled(1)) as sharded:
        yield sharded
