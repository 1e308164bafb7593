"""A kept day leaves the archive after its time, and can come back from each step."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from projections.retention import RetiredDay
from tests.conftest import RETENTION_DAYS
from tests.support.archive import files_of
from tests.support.archived_days import (
    all_answers,
    archive_days,
    brought_back,
    cleaned,
    kept_past,
    kept_since,
    leave_rows,
    moved,
    passed,
    stages,
)
from tests.support.oracle import HOUR
from tests.support.retired_days import DAY, EVENTS, day, past, retire, states, totals
from tests.support.sharded import Sharded

# No version of the server changes what is asked here.
pytestmark = pytest.mark.versions("newest")
NOW = timedelta(0)


async def test_a_kept_day_leaves_the_archive_and_is_gone_after_a_grace(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 1, tmp_path, grace_days=0)
    files = files_of(tmp_path)
    due = kept_past(0)
    await passed(log.database, due, tmp_path)
    found = await stages(log)
    assert (found[0], found[1]) == ("leaving", "kept")
    assert await kept_since(log) == day(1)
    await cleaned(log, tmp_path)
    assert files_of(tmp_path) == files
    await passed(log.database, due + 47 * HOUR, tmp_path)
    await cleaned(log, tmp_path)
    assert set(files) <= set(files_of(tmp_path))
    gone = await passed(log.database, due + 48 * HOUR, tmp_path)
    assert RetiredDay(day(0).date(), 16, dropped=True) in gone
    assert 0 not in await stages(log)
    await cleaned(log, tmp_path)
    assert [file for file in files_of(tmp_path) if f"day={day(0):%Y-%m-%d}" in file] == []
    assert [file for file in files_of(tmp_path) if f"day={day(1):%Y-%m-%d}" in file] != []
    assert set((await states(log, archive=tmp_path)).values()) <= {"sealed", "verified"}
    assert (await totals(log.database))[0] == len(EVENTS)


async def test_days_leave_the_archive_one_a_pass_unless_it_is_forced(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 3, tmp_path, grace_days=0)
    clock = kept_past(2)
    assert [each.day for each in await passed(log.database, clock, tmp_path) if not each.archived] == [day(0).date()]
    assert [each.day for each in await passed(log.database, clock, tmp_path) if not each.archived] == [day(1).date()]
    await passed(log.database, clock + HOUR, tmp_path, force=True)
    found = await stages(log)
    assert [found[number] for number in range(4)] == ["leaving", "leaving", "leaving", "kept"]
    # The grace of all began anew.
    until = await log.admin.fetch("select distinct until from archived_days where stage = 'leaving'")
    assert [row["until"] for row in until] == [clock + HOUR + 2 * DAY]


async def test_a_kept_day_whose_rows_are_there_comes_back_into_the_log(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    before = await all_answers(log, tmp_path)
    await leave_rows(log.database, 1, tmp_path)
    assert [(back.day, back.archived, back.wrong) for back in await brought_back(log.database, past(1), tmp_path)] == [
        (day(1).date(), False, 0),
        (day(0).date(), False, 0),
    ]
    assert await stages(log) == {}
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)
    assert await all_answers(log, tmp_path) == before
    assert set((await states(log, archive=tmp_path)).values()) == {"verified"}
    assert [each for each in await passed(log.database, past(1) + 23 * HOUR, tmp_path) if each.events] == moved(2)
    assert (await passed(log.database, past(1) + 48 * HOUR, tmp_path))[:2] == moved(0, 1)


async def test_a_day_that_was_leaving_the_archive_comes_back_into_it(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 1, tmp_path, grace_days=0)
    assert await brought_back(log.database, past(1), tmp_path) == []
    before = await all_answers(log, tmp_path)
    clock = kept_past(0)
    await passed(log.database, clock, tmp_path)
    assert await all_answers(log, tmp_path) != before
    backs = await brought_back(log.database, clock, tmp_path)
    (back,) = [each for each in backs if each.archived]
    assert (back.day, back.events, back.wrong, back.until) == (day(0).date(), 16, 0, clock + 2 * DAY)
    assert (await stages(log))[0] == "kept"
    assert await kept_since(log) == day(0)
    # It stays for its time, and then leaves again.
    await passed(log.database, clock + 23 * HOUR, tmp_path)
    assert (await stages(log))[0] == "kept"
    await passed(log.database, clock + 48 * HOUR, tmp_path)
    assert (await stages(log))[0] == "leaving"


async def test_a_day_that_leaves_rows_and_archive_at_once_comes_back_into_the_log(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await retire(log.database, 0, event_days=RETENTION_DAYS + 1, archive=tmp_path)
    assert await stages(log) == {0: "kept"}
    await retire(log.database, 1, event_days=RETENTION_DAYS + 1, archive=tmp_path)
    assert await stages(log) == {0: "leaving", 1: "kept"}
    assert await kept_since(log) == day(1)
    backs = await brought_back(log.database, past(1), tmp_path)
    assert [(back.day, back.archived, back.wrong) for back in backs] == [
        (day(1).date(), False, 0),
        (day(0).date(), False, 0),
    ]
    assert await stages(log) == {}
    assert await kept_since(log) == day(0)
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)


async def test_rollups_of_kept_days_stay(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 1, tmp_path, grace_days=0, rollup_days=RETENTION_DAYS)
    assert await log.admin.fetchval("select min(hour) from hour_ledger") == day(0)
    await retire(log.database, 1, event_days=RETENTION_DAYS, rollup_days=RETENTION_DAYS, grace_days=0)
    await retire(log.database, 1, event_days=RETENTION_DAYS, rollup_days=RETENTION_DAYS, grace_days=0)
    assert await stages(log) == {}
    assert await log.admin.fetchval("select min(hour) from hour_ledger") == day(2)
