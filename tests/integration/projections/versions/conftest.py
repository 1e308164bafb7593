"""Logs whose projection is rebuilt as the next version."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from sql.database import Database
from tests.support.sharded import MORE_SHARDS
from tests.support.versions import Log


@pytest_asyncio.fixture(params=[1, 8], ids=["one shard", "eight shards"])
async def log(request: pytest.FixtureRequest, database: Database, admin: asyncpg.Connection) -> AsyncIterator[Log]:
    if request.param > 1:
        await admin.execute(MORE_SHARDS)
    yield Log(database, admin, request.param)


@pytest_asyncio.fixture
async def single(database: Database, admin: asyncpg.Connection) -> Log:
    return Log(database, admin, 1)
