"""Fixtures for tests of the database. On your own server (`TEST_DATABASE_URL`) these tests need a superuser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.support import beginnings
from tests.support.sharded import Sharded, sharded_log


@pytest_asyncio.fixture
async def admin(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Give a separate connection that no trigger keeps from changing the log."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


@pytest_asyncio.fixture(params=[1, 8], ids=["1 shard", "8 shards"])
async def sharded(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give an empty log; the test runs with one shard and with eight."""
    async with sharded_log(servers, postgres_version, request.param) as log:
        yield log


@pytest_asyncio.fixture(params=[False, True], ids=["not analyzed", "analyzed"])
async def busy(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a log of three busy days with an unfolded tail, before the tables are analyzed and after."""
    async with sharded_log(servers, postgres_version, 1, beginnings.busy(analyzed=request.param)) as log:
        yield log
