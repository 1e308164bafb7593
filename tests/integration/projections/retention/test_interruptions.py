"""A pass of retention that was cut anywhere ends as if it was not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from projections.retention import RetiredDay
from sql.database import Database, Session
from sql.errors import Lost
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.archive import archived, current, rows_of
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import folded
from tests.support.retired_days import (
    PARTITIONS,
    chain_is_whole,
    day,
    retire,
    states,
    totals,
)
from tests.support.sharded import Sharded


class Cut(Database):
    """A database whose connection is lost after `left` statements, before the answer of the last arrives.

    Its pool has other connections, which live as long as the test: a new one would plan every statement anew.
    """

    left = 0

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Lost("cut")

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        rows = await super().rows(query, *args)
        self.count()
        return rows

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with super().transaction() as session:
            yield _CutSession(session, self)
        self.count()


class _CutSession(Session):
    def __init__(self, session: Session, cut: Cut) -> None:
        self._session, self._cut = session, cut

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        rows = await self._session.rows(query, *args)
        self._cut.count()
        return rows


async def test_a_pass_that_was_cut_anywhere_ends_as_if_it_was_not(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    """A day, and the rollups of the day before, are due; each pass is cut one statement later than the last."""
    log, cut = Sharded(database_url, 1, database, admin), Cut(database_url)
    await database.only(database.statements.make_day, day(0).date())
    for place in count(1):
        await database.only(database.statements.make_day, day(place).date())
        events = [an_event(n, at=day(place) + n // 2 * HOUR, session=f"s{n % 2}") for n in range(3)]
        await append(database, events, clock=day(place + 1))
        if not await was_cut(cut, place):
            break
        # Between the two passes a reader finds nothing wrong.
        assert set((await states(log, day(place - 1))).values()) <= {"sealed", "verified"}
        assert [each for each in await retire(database, place, grace_days=0, rollup_days=8) if each.hindrance] == []
        assert await folded(admin) == oracle.rows(events)
        assert set((await states(log, day(place - 1))).values()) == {"sealed"}
        assert await admin.fetchval("select events from retired_days where day = $1", day(place).date()) == len(events)
        assert (await admin.fetch(PARTITIONS))[0][0] > day(place).date()
        stored, live, retired = await totals(database)
        assert (live, retired) == (0, stored)
        await chain_is_whole(log)
    await cut.close()
    assert place > 20


@pytest.mark.versions("newest")
async def test_a_pass_that_was_cut_anywhere_loses_no_day_that_the_archive_keeps(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    """A day is due to leave the rows, and the day before to leave the archive; each pass is cut one statement later."""
    log, cut = Sharded(database_url, 1, database, admin), Cut(database_url)
    before: set[str] = set()
    await database.only(database.statements.make_day, day(0).date())
    for place in count(1):
        await database.only(database.statements.make_day, day(place).date())
        events = [an_event(10 * place + n, at=day(place) + n // 2 * HOUR, session=f"s{n % 2}") for n in range(3)]
        assert await append(database, events, clock=day(place + 1)) == {}
        await archived(database, tmp_path, day(place + 1) + HOUR)
        ids = {event.event_id for event in events}
        if not await was_cut(cut, place, tmp_path):
            break
        assert await kept(admin, tmp_path) in (ids, ids | before)
        assert set((await states(log, day(place - 1), archive=tmp_path)).values()) <= {"sealed", "verified"}
        assert [each for each in await left(database, place, tmp_path) if each.hindrance] == []
        assert await kept(admin, tmp_path) == ids
        assert await admin.fetchval("select count(*) from events") == 0
        assert set((await states(log, day(place - 1), archive=tmp_path)).values()) == {"sealed"}
        assert [tuple(row) for row in await admin.fetch("select day, stage from archived_days")] == [
            (day(place).date(), "kept")
        ]
        stored, live, retired = await totals(database)
        assert (live, retired) == (0, stored)
        before = ids
    await cut.close()
    assert place > 20


async def kept(admin: asyncpg.Connection, archive: Path) -> set[str]:
    """Return the ids of the events that answers show: rows, and files of the days that the archive keeps."""
    rows = {row["event_id"] for row in await admin.fetch("select event_id from events")}
    days = {row["day"] for row in await admin.fetch("select day from archived_days where stage = 'kept'")}
    files = {file for hour, file in (await current(admin)).items() if hour.date() in days}
    archived_ids = {name for file in files for (name,) in rows_of(archive, file, "event_id")}
    assert rows & archived_ids == set()
    return rows | archived_ids


async def left(database: Database, place: int, archive: Path | None) -> list[RetiredDay]:
    """Run a pass after which only the archive has a day, and nothing has the day before."""
    if archive is None:
        return await retire(database, place, grace_days=0, rollup_days=8)
    return await retire(database, place, grace_days=0, event_days=RETENTION_DAYS + 1, archive=archive)


async def was_cut(cut: Cut, place: int, archive: Path | None = None) -> bool:
    """Run a pass that is cut after `place` statements; return False if it ended before."""
    cut.left = place
    with suppress(Lost):
        await left(cut, place, archive)
    return cut.left <= 0
