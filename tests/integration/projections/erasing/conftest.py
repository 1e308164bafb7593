"""A log with days before the horizon, kept days, and days that still take events, on one shard or eight."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.support.beginnings import closed
from tests.support.history import Past
from tests.support.retired_days import EVENTS
from tests.support.sharded import Sharded, sharded_log


@pytest_asyncio.fixture(params=[1, 8], ids=["1 shard", "8 shards"])
async def sharded(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a log whose days 0 to 3 are closed."""
    async with sharded_log(servers, postgres_version, request.param, closed(request.param)) as log:
        yield log


@pytest_asyncio.fixture
async def past_days(sharded: Sharded, tmp_path: Path) -> Past:
    """Give a log whose days 0 to 3 are closed; nothing of it is in the archive yet."""
    return Past(sharded, tmp_path / "archive", list(EVENTS))
