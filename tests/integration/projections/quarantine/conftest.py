"""Logs of old days, of which the first two are kept in the archive only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from projections.archive.kept_hours import KeptHours
from tests.conftest import Servers
from tests.support.beginnings import kept as kept_days
from tests.support.beginnings import without_flood
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
    async with sharded_log(servers, postgres_version, shards, kept_days(shards, 1), archive) as sharded:
        yield sharded


@pytest_asyncio.fixture
async def log(servers: Servers, postgres_version: int, archive: Path) -> AsyncIterator[Sharded]:
    """Give the same log on one shard."""
    async with sharded_log(servers, postgres_version, 1, kept_days(1, 1), archive) as sharded:
        yield sharded


@pytest_asyncio.fixture
async def twin(servers: Servers, postgres_version: int, shards: int, tmp_path: Path) -> AsyncIterator[Sharded]:
    """Give the same log, to which the quarantined events never came. Its archive is `twin`."""
    begins = kept_days(shards, 1, without_flood)
    async with sharded_log(servers, postgres_version, shards, begins, tmp_path / "twin") as sharded:
        yield sharded
