"""What tests of the database share. On a server of one's own (`TEST_DATABASE_URL`) they need a superuser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio


@pytest_asyncio.fixture
async def admin(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of one's own, for whom no trigger keeps the log from being changed."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()
