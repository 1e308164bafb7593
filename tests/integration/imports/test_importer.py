"""Imports into a real log: the rows that it stores, the rows that it does not and why, and repeated imports."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from projections.projector import catch_up
from service.imports.errors import NotImportable
from service.imports.importer import Job, Tally, import_file
from service.imports.rejected_rows import rejected_path
from service.imports.targets import Log, storing
from sql.database import Database
from sql.migrate import migrate
from tests.support.imports import (
    Counts,
    a_row,
    imported,
    numbered,
    rejected,
    without_ids,
    write_array,
    write_cells,
    write_lines,
)
from tests.support.log import NOW, stored
from tests.support.servers import connected
from tests.support.waiting import until

HOUR = timedelta(hours=1)
LISTENING = "listening-events.json"
NEWEST = datetime(2018, 11, 30, 19, 54, 24, 796_000, tzinfo=UTC)
DAYS = 30
READ_ONLY = Path("/sys/devices/system/cpu/online")
HEADER = "event_type,session_id,timestamp\n"


@pytest.fixture
def listening(shared_data: Path, tmp_path: Path) -> Path:
    """Give 8,056 events of a music service, from the 30 days of November 2018."""
    return Path(shutil.copy(shared_data / LISTENING, tmp_path))


def contents(path: Path) -> object:
    return json.loads(path.read_text())


async def measured(database: Database) -> dict[str, int]:
    since = NOW.replace(minute=0, second=0) - timedelta(days=DAYS + 2)
    rows = await database.rows(database.statements.read_hourly, 0, since, NOW + timedelta(days=2), None)
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["measure"]] = sums.get(row["measure"], 0) + row["amount"]
    return sums


async def test_the_listening_events_end_now(database: Database, database_url: str, listening: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert await imported(database, listening, shift_to="now", dry_run=True, days=DAYS) == Counts(stored=8056)
    assert await imported(database, listening, shift_to="now", days=DAYS) == Counts(stored=8056)
    assert await imported(database, listening, shift_to="now", days=DAYS) == Counts(duplicate=8056)
    assert await imported(database, listening, shift_to="now", dry_run=True, days=DAYS) == Counts(duplicate=8056)
    await catch_up(database)
    assert (await measured(database))["distinct_sessions"] == 941
    newest = max(row["timestamp"] for row in await stored(database_url))
    assert before < newest < datetime.now(UTC) + timedelta(seconds=1)
    assert newest.microsecond % 1000 == 0


async def test_the_listening_events_moved_by_whole_hours_keep_their_session_hours(
    database: Database, listening: Path
) -> None:
    target = NEWEST + (NOW - NEWEST) // HOUR * HOUR
    assert await imported(database, listening, shift_to=target.isoformat(), days=DAYS) == Counts(stored=8056)
    await catch_up(database)
    sums = await measured(database)
    assert (sums["sessions"], sums["distinct_sessions"], sums["event_type"]) == (1404, 941, 8056)


async def test_the_listening_events_as_they_are_have_expired(
    database: Database, database_url: str, listening: Path
) -> None:
    assert await imported(database, listening, dry_run=True, days=DAYS) == Counts(rejected=8056)
    assert await imported(database, listening, days=DAYS) == Counts(rejected=8056)
    assert await stored(database_url) == []
    lines = rejected(listening)
    assert [line["line"] for line in lines] == list(range(1, 8057))
    assert {(line["code"], line["field"]) for line in lines} == {("expired", "timestamp")}
    assert [json.loads(line["row"]) for line in lines] == contents(listening)


async def test_rows_without_ids_are_told_apart_by_content_and_occurrence(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    moment = NOW.isoformat()
    same = [
        {"event_type": "a", "session_id": "s", "timestamp": moment, "properties": {"x": 1, "y": [2.0]}},
        {"properties": {"y": [2.0], "x": 1}, "timestamp": moment, "session_id": "s", "event_type": "a", "user_id": ""},
    ]
    other = [a_row(None), a_row(None, properties={}), a_row(None, demo_mode=False), a_row(None, user_id="u")]
    write_lines(file, [*same, *other, *same])
    assert await imported(database, file) == Counts(stored=8)
    # The same rows in another order and file, with other blanks.
    assert await imported(database, write_array(tmp_path / "x.json", other + same * 2)) == Counts(duplicate=8)
    assert await imported(database, write_array(tmp_path / "y.json", same * 3)) == Counts(stored=2, duplicate=4)
    ids = [row["event_id"] for row in await stored(database_url)]
    assert len({name.rsplit("_", 1)[0] for name in ids}) == 5
    assert all(len(name) < 60 for name in ids)


async def test_a_shift_moves_all_by_one_amount_and_does_not_change_ids(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    moments = ["2001-01-01T00:00:00.000001Z", "2001-01-01T01:00:00Z", "2000-12-31T23:00:00Z"]
    wrong = [a_row(None, timestamp="2030-13-01"), a_row(None, timestamp="2030-01-01", session_id="")]
    rows = [a_row(None, timestamp=moment) for moment in moments]
    file = write_cells(tmp_path / "events.csv", [*rows, *wrong])
    target = NOW - timedelta(hours=5)
    assert await imported(database, file, shift_to=target.isoformat()) == Counts(stored=3, rejected=2)
    assert [line["field"] for line in rejected(file)] == ["timestamp", "session_id"]
    assert [row["timestamp"] for row in await stored(database_url)] == [
        target - HOUR + timedelta(microseconds=1), target, target - 2 * HOUR,
    ]  # fmt: skip
    first = {row["event_id"] for row in await stored(database_url)}
    assert await imported(database, file, shift_to=NOW.isoformat()) == Counts(stored=3, rejected=2)
    assert {row["event_id"] for row in await stored(database_url)} == first


async def test_a_timestamp_that_cannot_be_moved_is_rejected(database: Database, tmp_path: Path) -> None:
    moments = ["0001-01-01", "9999-12-31T23:59:59.999999Z"]
    file = write_array(tmp_path / "events.json", [a_row(None, timestamp=moment) for moment in moments])
    assert await imported(database, file, shift_to=NOW.isoformat()) == Counts(stored=1, rejected=1)
    assert [(line["code"], line["field"]) for line in rejected(file)] == [("invalid_field", "timestamp")]


async def test_a_shift_is_recorded_for_the_file_and_used_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    rows = [a_row(number, timestamp=f"2001-01-01T00:00:{number:02}Z") for number in range(9)]
    file = write_array(tmp_path / "events.json", rows)
    assert await imported(database, file, shift_to="now", dry_run=True) == Counts(stored=9)
    assert await recorded(database_url) == set()
    at_once = await asyncio.gather(*(imported(database, file, shift_to="now") for _ in range(4)))
    assert sum(counts.stored for counts in at_once) == 9
    assert sum(counts.duplicate for counts in at_once) == 27
    file.rename(tmp_path / "renamed.json")
    assert await imported(database, tmp_path / "renamed.json", shift_to="now") == Counts(duplicate=9)
    assert len(await recorded(database_url)) == 1


async def test_a_file_that_has_grown_or_lost_rows_is_moved_as_before(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    rows = [a_row(number, timestamp=f"2001-01-01T00:{number // 60:02}:{number % 60:02}Z") for number in range(400)]
    file = write_array(tmp_path / "events.json", rows[100:200])
    assert await imported(database, file, shift_to="now") == Counts(stored=100)
    write_array(file, rows[100:])
    assert await imported(database, file, shift_to="now", dry_run=True) == Counts(stored=200, duplicate=100)
    assert await imported(database, file, shift_to="now") == Counts(stored=200, duplicate=100)
    assert await imported(database, write_array(file, rows), shift_to="now") == Counts(stored=100, duplicate=300)
    assert await imported(database, write_array(file, rows[390:]), shift_to="now") == Counts(duplicate=10)
    assert len(await recorded(database_url)) == 1
    others = [a_row(number, timestamp="2001-01-02") for number in range(500, 600)]
    assert await imported(database, write_array(tmp_path / "others.json", others), shift_to="now") == Counts(stored=100)
    with pytest.raises(NotImportable, match="from several files, which were moved by different times"):
        await imported(database, write_array(file, rows + others), shift_to="now")


async def recorded(url: str) -> set[tuple[str, timedelta]]:
    async with connected(url) as connection:
        return {(row["shift_to"], row["shift"]) for row in await connection.fetch("select * from import_shifts")}


async def test_a_dry_run_counts_what_a_run_would(database: Database, database_url: str, tmp_path: Path) -> None:
    there = write_array(tmp_path / "there.json", [a_row(1), a_row(2)])
    assert await imported(database, there) == Counts(stored=2)
    rows = [
        *(a_row(1), a_row(2, session_id="s2"), a_row(3), a_row(3)),
        *(a_row(3, session_id="s2"), a_row(3, session_id="s2")),
        *(a_row(4, timestamp="2001-01-01"), a_row(5, timestamp=(NOW + 48 * HOUR).isoformat()), a_row(6, user_id=7)),
        *numbered(1500)[7:],
        *(a_row(3), a_row(1400)),
    ]  # fmt: skip
    file = write_array(tmp_path / "events.json", rows)
    checked = await imported(database, file, dry_run=True)
    lines = rejected(file)
    assert len(await stored(database_url)) == 2
    assert await imported(database, file) == checked == Counts(1494, 3, 7)
    assert rejected(file) == lines
    assert [line["code"] for line in lines] == [
        *("id_reused", "id_reused", "id_reused", "expired", "future", "invalid_field", "id_reused")
    ]


async def test_shards_are_filled_as_http_does(empty_database_url: str, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "events.ndjson", without_ids(numbered(1000)))
    database = Database(empty_database_url)
    try:
        await migrate(empty_database_url, shards=3)
        assert await imported(database, file, dry_run=True) == Counts(stored=1000)
        assert await imported(database, file) == Counts(stored=1000)
        assert await imported(database, file, dry_run=True) == Counts(duplicate=1000)
        assert {row["shard"] for row in await stored(empty_database_url)} == {0, 1, 2}
    finally:
        await database.close()


async def test_a_place_that_cannot_be_written_to_is_told(database: Database, tmp_path: Path) -> None:
    file = write_array(tmp_path / "events.json", [a_row(1), {}])
    rejected_path(file).mkdir()
    with pytest.raises(NotImportable, match=r"events\.json\.rejected\.ndjson"):
        await imported(database, file)


@pytest.mark.skipif(not READ_ONLY.exists(), reason="needs sysfs, in which nobody can make a file")
async def test_the_reasons_of_a_file_in_a_folder_that_cannot_be_written_to_are_kept_elsewhere(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job, tally = Job(READ_ONLY, "ndjson"), Tally()
    await import_file(Log(database, DAYS), job, tally)
    assert (tally.read, tally.rejected) == (1, 1)
    assert tally.reasons is not None
    assert tally.reasons.is_relative_to(tmp_path)
    assert rejected(tally.reasons.with_name(READ_ONLY.name))[0]["code"] == "malformed"
    assert str(tally.reasons) in tally.summary(job)


@pytest.mark.parametrize(("name", "content"), [("none.json", ""), ("empty.json", "[]"), ("header.csv", HEADER)])
async def test_a_file_without_events_is_no_success(database: Database, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(NotImportable, match="there is no event in it"):
        await imported(database, tmp_path / name)


async def test_an_import_that_is_ended_while_it_waits_for_the_database_leaves_no_work_behind() -> None:
    before = asyncio.all_tasks()

    async def import_none() -> None:
        async with storing(Log(Database("postgresql://127.0.0.1:1/none"), DAYS)):
            pytest.fail("nothing listens there")

    importing = asyncio.create_task(import_none())
    await until(lambda: asyncio.all_tasks() - before - {importing}, "the appender looks for the database")
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert asyncio.all_tasks() <= before
