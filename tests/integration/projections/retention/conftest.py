"""Folded logs of old days."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from sql.database import Database
from tests.conftest import Servers
from tests.support.retired_days import (
    EVENTS,
    fill,
)
from tests.support.sharded import Sharded, sharded_log


@pytest.fixture(params=[1, 8])
def shards(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest_asyncio.fixture
async def old(servers: Servers, postgres_version: int, shards: int) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, shards) as sharded:
        await fill(sharded, EVENTS)
        yield sharded


@pytest_asyncio.fixture
async def log(database: Database, database_url: str, admin: asyncpg.Connection) -> Sharded:
    """Give a folded log of old days on one shard."""
    sharded = Sharded(database_url, 1, database, admin)
    await fill(sharded, EVENTS)
    return sharded
