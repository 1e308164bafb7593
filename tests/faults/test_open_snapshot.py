"""Appends stay as fast as they were while another connection holds a snapshot open, as a backup does for hours.

Rows that an append would change again and again could not be pruned meanwhile, and each append would read them all.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import quantiles
from time import perf_counter

import asyncpg
import pytest

from sql.statements import load
from tests.conftest import RETENTION_DAYS, Servers
from tests.http.support.site import new_database
from tests.support.log import NOW, an_event

# The whole case is 100,000. A row that every append updates makes 10,000 of them end 1.5 times slower.
APPENDS = int(os.environ.get("TEST_APPENDS_BESIDE_A_SNAPSHOT", "10000"))
MOST_TIMES_SLOWER = 1.5 if APPENDS >= 100_000 else 1.25
TRIES = 3
APPENDS_BETWEEN_FOLDS = 250


class Timed:
    """Appends of one event each, by one prepared statement on one connection, and how long each took."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.seconds: list[float] = []
        self._connection = connection
        self._statements = load()

    async def append(self, number: int) -> None:
        event = an_event(number, at=NOW, session=f"s{number % 1_000}")
        arguments = (0, RETENTION_DAYS, None, *([value] for value in event))
        began = perf_counter()
        assert await self._connection.fetch(self._statements.append_events, *arguments) == []
        self.seconds.append(perf_counter() - began)

    async def project(self) -> None:
        await self._connection.fetch(self._statements.fold_hourly, 0, 1, 50_000)
        await self._connection.fetch(self._statements.compact_receipts, 0)

    @property
    def tenths(self) -> list[float]:
        """Microseconds of an append, by tenths of the run: what it takes when nothing else wants the machine."""
        tenth = len(self.seconds) // 10
        return [round(quantiles(self.seconds[n * tenth : (n + 1) * tenth], n=4)[0] * 1e6) for n in range(10)]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def measure(servers: Servers) -> tuple[float, str]:
    """Return how many times slower the last appends are than the first, and the figures.

    Beside as many on a database that nobody holds, since a busy machine slows down both.
    """
    async with (
        new_database(servers) as url,
        new_database(servers) as other_url,
        connected(url) as holder,
        connected(url) as connection,
        connected(other_url) as other,
    ):
        held, free = Timed(connection), Timed(other)
        async with holder.transaction(isolation="repeatable_read"):
            assert await holder.fetchval("select count(*) from events") == 0
            for number in range(APPENDS):
                for each in (held, free):
                    await each.append(number)
                    if number % APPENDS_BETWEEN_FOLDS == 0:
                        await each.project()
            assert await holder.fetchval("select count(*) from events") == 0
    times = [beside / alone for beside, alone in zip(held.tenths, free.tenths, strict=True)]
    slower = times[-1] / times[0]
    return slower, f"µs by tenths: {held.tenths} beside a snapshot, {free.tenths} without; {slower:.2f} times slower"


async def test_appends_do_not_slow_down_while_a_snapshot_is_held(servers: Servers, postgres_version: int) -> None:
    """What slows down does so each time; what is only disturbed does not."""
    told = []
    for _ in range(TRIES):
        slower, figures = await measure(servers)
        told.append(figures)
        if slower <= MOST_TIMES_SLOWER:
            break
    else:
        pytest.fail("\n".join(told))
    print(*told, sep="\n")  # noqa: T201  # shown when asked for: pytest -rP
