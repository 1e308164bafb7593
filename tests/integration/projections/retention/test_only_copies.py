"""The files of kept days are the only copy: what is wrong with them is told, and rows stay while they may."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from projections.archive.keeper import ONLY_COPY_DAMAGED, Keeper
from projections.retention import RetiredDay
from service.http.health import readiness
from service.http.metrics import Metrics
from service.settings import load
from tests.support.archive import archived, current
from tests.support.archived_days import (
    TABLE,
    all_answers,
    archive_days,
    brought_back,
    kept_since,
    leave_rows,
    moved,
    passed,
)
from tests.support.oracle import HOUR
from tests.support.projections_command import run
from tests.support.retired_days import DAY, day, past
from tests.support.sharded import Sharded, appending

# No version of the server changes what is asked here.
pytestmark = pytest.mark.versions("newest")
NOW = timedelta(0)


async def test_rows_are_not_dropped_when_the_only_other_copy_is_wrong(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 0, tmp_path)
    file = (await current(log.admin))[day(0) + 7 * HOUR]
    (tmp_path / file).rename(tmp_path / "away")
    clock = past(0) + 2 * DAY
    refused = [each for each in await passed(log.database, clock, tmp_path) if each.hindrance and each.dropped]
    assert refused == [
        RetiredDay(
            day(0).date(),
            16,
            f"archive file {file} is damaged: it is missing; make undrop brings the rows back",
            failed=True,
            dropped=True,
            archived=True,
        )
    ]
    assert await log.admin.fetchval(TABLE, day(0).date())
    # The catalog alone decides in the end, whatever was proven.
    drop = log.database.statements.drop_detached
    for proven in (None, [], [file]):
        found = await log.database.only(drop, day(0).date(), clock, proven)
        assert found["hindrance"] == "not in the archive as it was appended: make undrop brings its rows back"
    (tmp_path / "away").rename(tmp_path / file)
    dropped = [each for each in await passed(log.database, clock, tmp_path) if each.dropped and not each.hindrance]
    assert dropped == [RetiredDay(day(0).date(), 16, dropped=True, archived=True)]


async def test_a_kept_day_with_a_wrong_file_comes_back_and_leaves_again(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 0, tmp_path)
    file = (await current(log.admin))[day(0) + 7 * HOUR]
    (tmp_path / file).unlink()
    await Keeper(log.database, tmp_path, past(0) + DAY)._prove()
    assert [back.wrong for back in await brought_back(log.database, past(0) + DAY, tmp_path)] == [0]
    await archived(log.database, tmp_path, past(0) + DAY)
    assert (await passed(log.database, past(0) + 3 * DAY, tmp_path))[0] == moved(0)[0]


async def test_a_damaged_only_copy_is_told_and_right_again_when_it_is_restored(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 0, tmp_path, grace_days=0)
    files = [tmp_path / file for hour, file in (await current(log.admin)).items() if hour < day(1)]
    for file in files:
        file.rename(file.with_suffix(".away"))
    keeper = Keeper(log.database, tmp_path, past(0) + DAY)
    with capture_logs() as logs:
        while await keeper.step():
            pass
    assert [each["event"] for each in logs if each["log_level"] == "error"] == [ONLY_COPY_DAMAGED] * 3
    state = await log.database.only(log.database.statements.read_archive_state)
    assert (state["damaged_files"], state["lost_files"]) == (3, 3)
    (refusal,) = {str(answer) for name, answer in (await all_answers(log, tmp_path)).items() if name != "rollups"}
    assert "whoever runs the service must restore it from a backup" in refusal
    for file in files:
        file.with_suffix(".away").rename(file)
    await archived(log.database, tmp_path, past(0) + DAY)
    state = await log.database.only(log.database.statements.read_archive_state)
    assert (state["damaged_files"], state["lost_files"]) == (0, 0)
    assert all(isinstance(answer, dict) for answer in (await all_answers(log, tmp_path)).values())


async def test_what_is_wrong_with_kept_days_is_told(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 1, tmp_path)
    await log.admin.execute("update archive_files set damage = 'it is missing' where since = $1", day(0))
    async with appending(log.url) as appender:
        answer = await readiness(log.database, appender, load({}))
        metrics = (await Metrics().text(log.database, appender.admission)).decode()
    (told,) = [why for why in json.loads(answer.body)["degraded"] if "only copy" in why]
    assert told == (
        "1 damaged file of the archive held the only copy of its events: restore it from a backup, or run make undrop,"
        " which brings the rows back while they are there"
    )
    assert "\nhourledger_archive_kept_days 2.0\n" in metrics
    (since,) = re.findall(r"(?m)^hourledger_archive_kept_since_seconds (.*)$", metrics)
    assert float(since) == day(0).timestamp()


async def test_the_commands_say_what_left_and_what_came_back(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    settings = {
        "HOURLEDGER_EVENT_RETENTION_DAYS": "365",
        "HOURLEDGER_ROLLUP_RETENTION_DAYS": "400",
        "HOURLEDGER_ARCHIVE_DIR": str(tmp_path),
    }
    left = await run(log.url, "retention", "--force", **settings)
    lines = left.output.splitlines()
    assert left.code == 0
    assert f"{day(0):%Y-%m-%d}: the rows of 16 events left the log; the archive keeps the events" in lines
    assert f"{day(9):%Y-%m-%d}: kept: not in the archive yet" in lines
    assert lines[-1] == "retention: 0 days, 0 events retired, 0 days, 0 events dropped, 1 day kept"
    await log.admin.execute("update leaving_days set until = '-infinity'")
    dropped = await run(log.url, "retention", "--force", HOURLEDGER_GRACE_DAYS="0", **settings)
    line = f"{day(0):%Y-%m-%d}: the rows of 16 events dropped for good; the archive keeps the events"
    assert line in dropped.output.splitlines()
    clean = await run(log.url, "verify", **settings)
    assert (clean.code, clean.complaints) == (0, [])
    shorter = await run(log.url, "retention", "--force", "--shorten", HOURLEDGER_ARCHIVE_DIR=str(tmp_path))
    assert shorter.output.splitlines()[-1].startswith("retention: 7 days, 80 events retired, ")
    back = await run(log.url, "undrop", "--from", f"{day(1):%Y-%m-%d}", **settings)
    first = [line for line in back.output.splitlines() if line.startswith(f"{day(1):%Y-%m-%d}")]
    assert first[0].startswith(f"{day(1):%Y-%m-%d}: 16 events are back in the archive, until ")
    assert back.code == 0
    assert await kept_since(log) == day(1)
