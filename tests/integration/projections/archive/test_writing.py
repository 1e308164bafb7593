"""Verified hours become files, closed days one file each, and files are exactly what the log holds."""

from __future__ import annotations

import hashlib
import json
import os
import random
import stat
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from projections.archive.catalog import Span
from projections.archive.keeper import Keeper
from projections.archive.writer import Writer
from service.access.site_changes import add_site
from service.ingest.event import Event
from sql.archive.files import COLUMNS, file_name, is_file_name
from sql.database import Database
from tests.support.archive import (
    DAY,
    DAY_START,
    QUIET,
    append_and_archive,
    archived,
    columns_of,
    current,
    events_in_log,
    files_of,
    hours_of,
    rows_of,
    settle,
)
from tests.support.log import an_event, append
from tests.support.oracle import HOUR

LATER = QUIET + timedelta(hours=2)
STORED = ", ".join(list(COLUMNS)[:12])


def day_events(count: int, *, seed: int = 1, hours: int = 24, first: int = 0) -> list[Event]:
    """Return events of DAY_START's day, in the order of their timestamps."""
    chance = random.Random(seed)
    moments = sorted(DAY_START + chance.random() * hours * HOUR for _ in range(count))
    return [
        an_event(
            first + number,
            at=moment,
            session=f"s{chance.randrange(9)}",
            kind=chance.choice(["page_viewed", "risk_mode_changed"]),
            properties=chance.choice(['{"plan": "pro", "n": 1}', '{"risk_mode": "high", "n": 2}', None]),
            user=chance.choice([None, "u1"]),
        )
        for number, moment in enumerate(moments)
    ]


async def test_an_hour_is_written_once_it_is_verified(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    events = day_events(40, hours=2)
    assert await append(database, events, clock=QUIET) == {}
    keeper = Keeper(database, tmp_path, QUIET)
    assert not await keeper.step()  # nothing is verified yet
    assert await current(admin) == {}
    await archived(database, tmp_path, QUIET)
    files = await current(admin)
    assert list(files) == hours_of(events)
    assert files_of(tmp_path) == sorted(files.values())
    for hour, file in files.items():
        digest = hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()
        assert file == file_name(0, hour, day=False, digest=digest)
        assert is_file_name(file)
    found = [row for file in files.values() for row in rows_of(tmp_path, file, STORED)]
    assert sorted(found, key=lambda row: row[1]) == sorted(await events_in_log(admin), key=lambda row: row[1])


def _modes(archive: Path) -> set[tuple[bool, int]]:
    """Return whether it is a folder, and its mode, for each file and folder in the archive."""
    places = [archive / name for name in files_of(archive)] + [each for each in archive.rglob("*") if each.is_dir()]
    return {(each.is_dir(), stat.S_IMODE(each.stat().st_mode)) for each in places}


async def test_only_the_owner_can_read_what_visitors_did(database: Database, tmp_path: Path) -> None:
    """Also in a folder that was there before, whatever the umask is."""
    before = os.umask(0)
    try:
        await append_and_archive(database, day_events(40, hours=1), tmp_path)
    finally:
        os.umask(before)
    assert _modes(tmp_path) == {(True, 0o700), (False, 0o400)}


async def test_a_file_is_sorted_and_has_its_columns(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await append_and_archive(database, day_events(60, hours=1), tmp_path)
    (file,) = (await current(admin)).values()
    assert columns_of(tmp_path, file) == COLUMNS | {
        "properties.n": "BIGINT",
        "properties.plan": "VARCHAR",
        "properties.risk_mode": "VARCHAR",
    }
    assert rows_of(tmp_path, file, STORED) == await events_in_log(admin)
    rows = rows_of(tmp_path, file, 'session_id, session, risk_mode, long_numbers, properties, "properties.n"')
    for session_id, session, risk_mode, long_numbers, properties, number in rows:
        assert session.hex == hashlib.sha256(session_id.encode()).hexdigest()[:32]
        assert long_numbers is False
        assert number == (json.loads(properties)["n"] if properties else None)
        assert risk_mode in (None, "high")


async def test_names_that_differ_only_in_case_have_no_column(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    """DuckDB ignores the case of columns' names, so a column of one would be read as the other."""
    both = '{"plan": "pro", "Plan": "free", "n": 1}'
    written = [(0, both), (0, '{"plan": "pro"}'), (1, '{"Plan": "free", "n": 2}'), (2, '{"plan": "pro", "n": 3}')]
    events = [
        an_event(number, at=DAY_START + hour * HOUR, properties=properties)
        for number, (hour, properties) in enumerate(written)
    ]

    async def columns() -> list[set[str]]:
        return [{*columns_of(tmp_path, file)} - {*COLUMNS} for file in (await current(admin)).values()]

    await append_and_archive(database, events, tmp_path, DAY_START + 4 * HOUR)
    assert await columns() == [
        {"properties.n"},
        {"properties.Plan", "properties.n"},
        {"properties.plan", "properties.n"},
    ]
    await archived(database, tmp_path, QUIET + timedelta(minutes=5))
    assert await columns() == [{"properties.n"}] * 3


async def test_an_open_hour_is_not_written(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    await append_and_archive(database, day_events(10, hours=1), tmp_path, DAY_START + HOUR - timedelta(seconds=1))
    assert await current(admin) == {}
    await archived(database, tmp_path, DAY_START + HOUR)
    assert list(await current(admin)) == [DAY_START]


async def test_a_day_becomes_one_file(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    events = day_events(300)
    await append_and_archive(database, events, tmp_path)
    before = await current(admin)
    assert len(set(before.values())) == len(before) == 24
    await archived(database, tmp_path, QUIET + timedelta(minutes=4))
    assert await current(admin) == before  # not quiet for long enough
    await archived(database, tmp_path, QUIET + timedelta(minutes=5))
    after = await current(admin)
    assert list(after) == list(before)
    (file,) = set(after.values())
    assert file.startswith(f"site=default/day={DAY_START:%Y-%m-%d}/0-{DAY_START:%Y-%m-%d}-")
    assert rows_of(tmp_path, file, STORED) == await events_in_log(admin)
    assert "properties.plan" in columns_of(tmp_path, file)


async def test_a_day_that_is_not_over_stays_in_hours(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    before_midnight = DAY_START + DAY - timedelta(seconds=1)
    await append_and_archive(database, day_events(50, hours=20), tmp_path, before_midnight)
    await archived(database, tmp_path, before_midnight)
    assert len(set((await current(admin)).values())) == 20


async def test_a_late_event_makes_its_hour_rows_until_it_is_written_anew(
    database: Database, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    events = day_events(200)
    await append_and_archive(database, events, tmp_path)
    await archived(database, tmp_path, LATER)
    (day_file,) = set((await current(admin)).values())
    late = an_event(1_000, at=DAY_START + 3 * HOUR + timedelta(minutes=5), session="late")
    assert await append(database, [late], clock=LATER) == {}
    assert set(hours_of(events)) - set(await current(admin)) == {DAY_START + 3 * HOUR}
    await archived(database, tmp_path, LATER + timedelta(minutes=10))
    files = await current(admin)
    assert files.pop(DAY_START + 3 * HOUR) != day_file
    assert set(files.values()) == {day_file}
    # Once the day has been quiet for long enough, it is one file again.
    await archived(database, tmp_path, LATER + timedelta(minutes=20))
    assert len(set((await current(admin)).values())) == 2
    await archived(database, tmp_path, LATER + timedelta(minutes=80))
    (file,) = set((await current(admin)).values())
    assert rows_of(tmp_path, file, STORED) == await events_in_log(admin)


async def test_the_same_rows_make_the_same_file(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    await append_and_archive(database, day_events(100, hours=3), tmp_path / "a")
    first = await current(admin)
    await admin.execute("delete from archive_hours; delete from archive_files")
    await archived(database, tmp_path / "b", QUIET)
    assert await current(admin) == first


async def test_each_shard_has_files_of_its_own(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    """A file of another site than the default one stands in the folder of the site's number."""
    assert (await add_site(database, "blog")).shards == (1,)
    await append(database, day_events(20, hours=1), clock=QUIET)
    await append(database, day_events(30, seed=2, hours=1), shard=1, clock=QUIET)
    await archived(database, tmp_path, QUIET)
    files = [row["file"] for row in await admin.fetch("select file from archive_hours order by shard")]
    assert [len(rows_of(tmp_path, file)) for file in files] == [20, 30]
    assert [{row[0] for row in rows_of(tmp_path, file, "shard")} for file in files] == [{0}, {1}]
    assert [file.partition("/")[0] for file in files] == ["site=default", "site=1"]
    assert files_of(tmp_path) == sorted(files)
    assert all(is_file_name(file) for file in files)


async def test_an_hour_that_changes_meanwhile_is_left_to_a_later_pass(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await append(database, day_events(20, hours=1), clock=QUIET) == {}
    await settle(database, QUIET)
    copy = Writer._copy

    async def append_and_copy(writer: Writer, span: Span, rows: Path, room: int) -> bool:
        late = an_event(500, at=DAY_START + timedelta(minutes=1))
        assert await append(database, [late], clock=QUIET) == {}
        return await copy(writer, span, rows, room)

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "_copy", append_and_copy)
        assert await Keeper(database, tmp_path, QUIET).step()
    assert await current(admin) == {}
    assert files_of(tmp_path) == []
    await archived(database, tmp_path, QUIET + timedelta(minutes=10))
    assert list(await current(admin)) == [DAY_START]


async def test_a_file_that_is_not_what_was_appended_is_not_recorded(
    database: Database, admin: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await append(database, day_events(20, hours=1), clock=QUIET) == {}
    await settle(database, QUIET)
    await admin.execute("update events set action = 'changed' where event_id = 'evt_3'")
    keeper = Keeper(database, tmp_path, QUIET)
    with capture_logs() as logs:
        assert await keeper.step()
    (told,) = [each for each in logs if each["log_level"] == "error"]
    assert told["event"] == "a file of the archive is not what was appended"
    assert f"hour {DAY_START:%Y-%m-%dT%H:%MZ} of shard 0: appended Numbers(events=20" in told["error"]
    assert files_of(tmp_path) == []
    assert await admin.fetch("select from archive_files") == []
