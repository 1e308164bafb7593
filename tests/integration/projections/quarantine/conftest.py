"""Logs of old days, of which the first two are kept in the archive only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from projections.archive.kept_hours import KeptHours
from tests.conftest import Servers
from tests.support.kept_hours import keep
from tests.support.quarantines import counted
from tests.support.retired_days import EVENTS, fill
from tests.support.sharded import Sharded, sharded_log


@pytest.fixture(params=[1, 2])
def shards(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def kept(archive: Path) -> Iterator[KeptHours]:
    """Give what reads the files of kept hours, as long as the test lasts."""
    with KeptHours(archive) as kept:
        yield kept


@pytest_asyncio.fixture
async def old(servers: Servers, postgres_version: int, shards: int, archive: Path) -> AsyncIterator[Sharded]:
    """Give a log with all events; days 0 and 1 are kept, the next two are in the log and in the archive."""
    async with sharded_log(servers, postgres_version, shards) as sharded:
        await fill(sharded, EVENTS)
        await keep(sharded, archive, 1)
        yield sharded


@pytest_asyncio.fixture
async def log(servers: Servers, postgres_version: int, archive: Path) -> AsyncIterator[Sharded]:
    """Give the same log on one shard."""
    async with sharded_log(servers, postgres_version, 1) as sharded:
        await fill(sharded, EVENTS)
        await keep(sharded, archive, 1)
        yield sharded


@pytest_asyncio.fixture
async def twin(servers: Servers, postgres_version: int, shards: int, tmp_path: Path) -> AsyncIterator[Sharded]:
    """Give the same log, to which the quarantined events never came. Its archive is `twin`."""
    async with sharded_log(servers, postgres_version, shards) as sharded:
        await fill(sharded, counted(EVENTS))
        await keep(sharded, tmp_path / "twin", 1)
        yield sharded
