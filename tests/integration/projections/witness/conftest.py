"""A log whose first days are sealed and dropped."""

from __future__ import annotations

import asyncpg
import pytest_asyncio

from sql.database import Database
from tests.support.retired_days import EVENTS, fill, retire
from tests.support.sharded import Sharded


@pytest_asyncio.fixture
async def sealed(database: Database, database_url: str, admin: asyncpg.Connection) -> Sharded:
    """Give a log on one shard whose first four days are retired."""
    log = Sharded(database_url, 1, database, admin)
    await fill(log, EVENTS)
    assert [retired.hindrance for retired in await retire(database, 3)] == [None] * 4
    return log
