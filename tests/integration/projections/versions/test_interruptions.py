"""A rebuild that is interrupted anywhere goes on, and two at once both end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from projections import versions
from projections.hours import list_hours
from projections.versions import NotSwitched, drop_old, end_abandoned, kept, list_versions, roll_back
from sql.database import Database, Session
from sql.errors import Lost
from sql.hourly import COMPLETE, VERIFIED
from tests.support.log import an_event
from tests.support.projection import (
    START,
)
from tests.support.versions import Log, live, rebuild_all


@dataclass
class Cut:
    """Ends a rebuild at statement number `left`, counted from 1: before it, or after it if `after`."""

    left: int
    after: bool

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for kind in (Database, Session):
            monkeypatch.setattr(kind, "rows", self._counted(kind.rows))

    def _counted(self, rows: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def counted(itself: object, query: str, *arguments: object) -> object:
            self.left -= 1
            if self.left <= 0 and not self.after:
                raise Lost("cut")
            found = await rows(itself, query, *arguments)
            if self.left <= 0:
                raise Lost("cut")
            return found

        return counted


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_rebuild_that_is_cut_at_any_statement_goes_on(single: Log, *, after: bool) -> None:
    await single.fill(14, 40, hours=2)
    place = 0
    while True:
        place += 1
        with pytest.MonkeyPatch.context() as patch:
            Cut(place, after).install(patch)
            try:
                await rebuild_all(single.database)
                break
            except Lost:
                pass
        # Readers still see every event, and the next rebuild ends right.
        assert await single.read() == single.expected()
        await single.append([an_event(place, at=START + place * timedelta(minutes=1), session=f"late_{place % 7}")])
        await rebuild_all(single.database)
        await single.is_right(await live(single.database))
        if place % 2:
            await roll_back(single.database)
    assert place > 20
    await drop_old(single.database)
    stages = [(row["live"], row["stage"]) for row in await list_versions(single.database)]
    assert stages == [(True, "complete")]
    numbers = await single.admin.fetch("select distinct version from hourly_counts")
    assert [row["version"] for row in numbers] == [await live(single.database)]


async def test_an_interrupted_rebuild_does_not_fill_hours_again(log: Log) -> None:
    await log.fill(15)
    version = await versions.begin(log.database)
    hours = await list_hours(log.database, None, None)
    async for _ in versions.fill(log.database, version):
        break
    again = [hour async for hour in versions.fill(log.database, await versions.begin(log.database))]
    # An hour that was under way was either finished or rolled back.
    assert len(hours) - 2 <= len(again) < len(hours)
    assert [hour async for hour in versions.fill(log.database, version)] == []
    await rebuild_all(log.database)
    assert await live(log.database) == version
    await log.is_right(1, 2)


async def test_two_rebuilds_at_once_both_end_right(log: Log, database_url: str) -> None:
    await log.fill(16)
    other = Database(database_url)
    try:
        found = await asyncio.gather(rebuild_all(log.database), rebuild_all(other))
    finally:
        await other.close()
    assert {proof.state for proofs in found for proof in proofs} == {VERIFIED}
    assert await log.read() == log.expected()
    await log.is_right(await live(log.database), *await kept(log.database))
    assert {row["stage"] for row in await list_versions(log.database)} == {COMPLETE}


async def test_what_an_interrupted_drop_left_is_removed_later(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    await log.fill(22)
    await rebuild_all(log.database)
    monkeypatch.setattr(versions, "ROWS_AT_ONCE", 5)
    with pytest.MonkeyPatch.context() as patch:
        Cut(5, after=True).install(patch)
        with pytest.raises(Lost):
            await drop_old(log.database)
    left = await log.left(1)
    assert left["hourly_members"] > 0
    with pytest.raises(NotSwitched):
        await roll_back(log.database)
    assert await end_abandoned(log.database) == []
    assert await log.left(1) == {}
    await log.is_right(2)
    assert await end_abandoned(log.database) == []
