"""A log for the views of the schema bi."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.support.bi import LATE, OLD
from tests.support.retired_days import append_all, fill, past, retire
from tests.support.sharded import Sharded, sharded_log


@pytest_asyncio.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
async def aged(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a log with its first two days retired and an unfolded tail of late events."""
    async with sharded_log(servers, postgres_version, request.param) as sharded:
        await fill(sharded, OLD)
        assert [retired.events for retired in await retire(sharded.database, 1)] != []
        await append_all(sharded, LATE, clock=past(1))
        yield sharded
