"""Appends cost as much as before while another connection holds a snapshot open, as a backup does for hours.

PostgreSQL could not prune old versions of a row that each append changes, so each append would read all of them.
"""

from __future__ import annotations

import json
import os
from statistics import mean
from typing import Any

import asyncpg

from sql.statements import load
from tests.conftest import RETENTION_DAYS, Servers
from tests.http.support.site import new_database
from tests.support.log import NOW, an_event
from tests.support.servers import connected

# The full case is 100,000 appends. With a row that every append updates, the last of 1,000 appends read 1.3 times as
# many pages, and each thousand more as many again. One index may get its next level a little earlier than that of the
# other database: two pages more of 22 for a while.
APPENDS = int(os.environ.get("TEST_APPENDS_BESIDE_A_SNAPSHOT", "2000"))
MOST_TIMES_MORE = 1.1
APPENDS_BETWEEN_FOLDS = 250
EXPLAIN = "explain (analyze, buffers, timing off, format json) "


class Counted:
    """Appends of one event each on one connection, and the pages that each read. Pages do not depend on other work."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.pages: list[int] = []
        self._connection = connection
        self._statements = load()

    async def append(self, number: int) -> None:
        event = an_event(number, at=NOW, session=f"s{number % 1_000}")
        arguments = (0, RETENTION_DAYS, None, *([value] for value in event), None)
        told = await self._connection.fetchval(EXPLAIN + self._statements.append_events, *arguments)
        plan: dict[str, Any] = json.loads(told)[0]["Plan"]
        assert plan["Actual Rows"] == 0, "the append was refused"
        self.pages.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    async def project(self) -> None:
        await self._connection.fetch(self._statements.fold_hourly, 0, 1, 50_000)
        await self._connection.fetch(self._statements.compact_receipts, 0)

    @property
    def tenths(self) -> list[float]:
        """The pages of an append, by tenths of the run."""
        tenth = len(self.pages) // 10
        return [mean(self.pages[number * tenth : (number + 1) * tenth]) for number in range(10)]


async def test_appends_cost_no_more_while_a_snapshot_is_held(servers: Servers, postgres_version: int) -> None:
    """The same appends on a database without a snapshot say how many pages they need."""
    async with (
        new_database(servers) as url,
        new_database(servers) as other_url,
        connected(url) as holder,
        connected(url) as connection,
        connected(other_url) as other,
    ):
        held, free = Counted(connection), Counted(other)
        async with holder.transaction(isolation="repeatable_read"):
            assert await holder.fetchval("select count(*) from events") == 0
            for number in range(APPENDS):
                for each in (held, free):
                    await each.append(number)
                    if number % APPENDS_BETWEEN_FOLDS == 0:
                        await each.project()
            assert await holder.fetchval("select count(*) from events") == 0
    times = [beside / alone for beside, alone in zip(held.tenths, free.tenths, strict=True)]
    assert max(times) <= MOST_TIMES_MORE, f"{held.tenths} pages beside a snapshot, {free.tenths} without"
