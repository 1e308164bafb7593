"""The fault table in its quick size: nothing lost, nothing doubled, no false alarm."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from sql.database import Database
from sql.errors import Unavailable
from tests.conftest import execute
from tests.faults.table.boundaries import Moment, boundaries
from tests.faults.table.ground import DAY, Ground, Trial
from tests.faults.table.kinds import Kind, quick_kinds, try_all
from tests.faults.table.questions import REPORTS, Settled, asked
from tests.faults.table.table import Row


@pytest.mark.parametrize(("moment", "written"), [(Moment.BEFORE, 0), (Moment.AFTER, 1)])
async def test_a_statement_is_cut_before_it_arrives_or_after_it_was_done(
    moment: Moment, written: int, database_url: str
) -> None:
    await execute(database_url, "create table written (number integer)")
    # pytest's folders are too long for the path of a socket.
    with tempfile.TemporaryDirectory() as folder:
        async with boundaries(database_url, Path(folder)) as way:
            database = Database(way.url)
            assert await database.rows("select * from written") == []
            way.arm(moment, 2)  # statement 1 prepares the insert
            with pytest.raises(Unavailable):
                await database.rows("insert into written values (1)")
            assert way.was_cut
            await database.close()
            await way.settled()
    assert await _count(database_url) == written


async def test_a_transaction_is_cut_at_its_commit(database_url: str) -> None:
    await execute(database_url, "create table written (number integer)")
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        async with boundaries(database_url, Path(folder)) as way:
            for place in range(1, 9):
                way.arm(Moment.AFTER, 0)
                database = Database(way.url)
                await database.rows("truncate written")
                way.arm(Moment.AFTER, place)
                try:
                    async with database.transaction() as session:
                        await session.rows("insert into written values (1)")
                except Unavailable:
                    assert way.was_cut
                await database.close()
                await way.settled()
                seen.add((place, await _count(database_url)))
    # Statements 1 to 3 are BEGIN, prepare and insert. 4 is COMMIT, with an unknown outcome. The pool's reset follows.
    assert seen == {(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1)}


async def _count(url: str) -> int:
    database = Database(url)
    try:
        return len(await database.rows("select * from written"))
    finally:
        await database.close()


async def test_no_fault_loses_doubles_or_alarms() -> None:
    told: list[str] = []
    rows = await try_all(quick_kinds(), told.append)
    assert [row for row in rows if not row.clean] == []
    assert len(told) == len(rows) == len(quick_kinds())


async def test_an_answer_that_lacks_events_is_wrong() -> None:
    async def ask_beside(ground: Ground) -> None:
        hour = await ground.append()
        events = list(ground.acked.values())
        day = hour.replace(hour=0)
        async with asked(ground, Settled(events, day, day + DAY, day)):
            pass
        assert (ground.row.answers, ground.row.wrong_answers) == (len(REPORTS), 0)
        others = [event for event in events if event.tool_name != "Home"]
        async with asked(ground, Settled(others, day, day + DAY, day), Settled(others, day, day + DAY, day, others)):
            pass

    (row,) = await try_all([Kind("questions", ask_beside, Trial(1, 50))], lambda _: None)
    assert row.answers - row.wrong_answers == len(REPORTS)
    assert row.wrong_answers == len(REPORTS) + 1


def test_a_row_is_clean_only_when_faults_were_tried_and_did_nothing() -> None:
    assert Row("k", faults=1, acked=1).clean
    for unclean in (Row("k", 0, 1), Row("k", 1, 0), Row("k", 1, 1, lost=1), Row("k", 1, 1, doubled=1)):
        assert not unclean.clean
    assert not Row("k", 1, 1, false_alarms=1).clean
    assert not Row("k", 1, 1, wrong_answers=1).clean
