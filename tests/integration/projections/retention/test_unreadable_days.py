"""A day that cannot be read is kept and named; the other days are retired."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from sql.database import Database
from tests.support.pages import Harm, damaged_copy, flipped, missing
from tests.support.retired_days import EVENTS, day, fill, retire
from tests.support.servers import OWN_SERVER
from tests.support.sharded import Sharded

pytestmark = pytest.mark.skipif(OWN_SERVER is not None, reason="needs the files of the server")
DAMAGED = f"events_{day(1):%Y%m%d}"


@pytest_asyncio.fixture
async def filled(database_url: str) -> AsyncIterator[str]:
    """Give the URL of a log of old days that nobody is connected to."""
    database, admin = Database(database_url), await asyncpg.connect(database_url)
    await fill(Sharded(database_url, 1, database, admin), EVENTS)
    await admin.close()
    await database.close()
    yield database_url


@pytest.mark.parametrize(
    ("relation", "harm"),
    [(DAMAGED, flipped(0)), (DAMAGED, missing), (f"{DAMAGED}_pkey", missing)],
    ids=["a page", "no file", "no index"],
)
async def test_a_day_that_cannot_be_read_is_kept_and_the_others_go(filled: str, relation: str, harm: Harm) -> None:
    async with damaged_copy(filled, relation, harm) as url:
        database = Database(url)
        hindrances = {retired.day: (retired.hindrance, retired.failed) for retired in await retire(database, 3)}
        await database.close()
    assert hindrances == {
        day(0).date(): (None, False),
        day(1).date(): ("hour 00:00 of shard 0 is damaged", True),
        day(2).date(): (None, False),
        day(3).date(): (None, False),
    }
