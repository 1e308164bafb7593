"""A day leaves the rows when the archive has all of it and it was just proven, and answers stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from projections import retention
from projections.archive.keeper import Keeper
from projections.projector import catch_up
from projections.retention import RetiredDay
from service.archive import sources
from sql.archive.files import MARKER
from sql.database import Database
from tests.conftest import RETENTION_DAYS
from tests.support.archive import archived, current, files_of
from tests.support.archived_days import (
    EVENT_DAYS,
    IN_LOG,
    LONGER,
    TABLE,
    all_answers,
    archive_days,
    cleaned,
    kept_since,
    leave_rows,
    moved,
    stages,
)
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.retired_days import EVENTS, day, of_day, past, retire, states, totals, whole
from tests.support.sharded import Sharded

# No version of the server changes what is asked here.
pytestmark = pytest.mark.versions("newest")
NOW = timedelta(0)


async def test_a_day_that_the_archive_has_leaves_the_rows_and_answers_stay(old: Sharded, tmp_path: Path) -> None:
    from_rows = await all_answers(old, tmp_path)
    await archive_days(old, tmp_path)
    files = files_of(tmp_path)
    assert await leave_rows(old.database, 3, tmp_path, grace_days=0) == moved(0, 1, 2, 3)
    assert not await old.admin.fetchval(TABLE, day(0).date())
    assert await stages(old) == dict.fromkeys(range(4), "kept")
    assert await totals(old.database) == (len(EVENTS), 16, 64)
    assert await kept_since(old) == day(0)
    await cleaned(old, tmp_path)
    assert files_of(tmp_path) == files
    from_both = await all_answers(old, tmp_path)
    for name, answer in from_both.items():
        assert isinstance(answer, dict), answer
        before = from_rows[name]
        if "rollups" not in (before["source"], name):
            assert (before.pop("source"), answer.pop("source")) == (sources.EVENTS, sources.BOTH)
        for each in (before, answer):
            each.pop("as_of", None)
        assert msgspec.json.encode(answer) == msgspec.json.encode(before), name
    assert set((await states(old, archive=tmp_path)).values()) <= {"sealed", "verified"}


async def test_a_day_that_another_pass_takes_meanwhile_is_left_to_that_pass(
    log: Sharded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive_days(log, tmp_path)
    others: list[RetiredDay] = []

    async def another_pass(database: Database) -> None:
        # The first pass has listed the day and comes to it.
        monkeypatch.setattr(retention, "catch_up", catch_up)
        others.extend(await leave_rows(database, 0, tmp_path))

    monkeypatch.setattr(retention, "catch_up", another_pass)
    assert await leave_rows(log.database, 0, tmp_path) == []
    assert others == moved(0)


async def test_the_default_keeps_nothing_in_the_archive(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    assert await retire(log.database, 0, archive=tmp_path) == whole(0, events=EVENTS)
    assert await stages(log) == {}
    assert await kept_since(log) == day(1)


async def test_a_late_event_of_a_kept_day_is_refused(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 0, tmp_path)
    late = an_event(900, at=day(0) + HOUR)
    assert await append(log.database, [late], clock=past(0)) == {0: "expired"}


def _remove(place: Path) -> None:
    place.unlink()


def _flip(place: Path) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.chmod(0o600)
    place.write_bytes(content)


def _cut(place: Path) -> None:
    content = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(content[:-1])


@pytest.mark.parametrize(
    ("harm", "why"), [(_remove, "it is missing"), (_flip, "its content has the SHA-256"), (_cut, "bytes, not")]
)
async def test_a_day_with_a_wrong_file_stays_until_the_file_is_written_anew(
    log: Sharded, tmp_path: Path, harm: Callable[[Path], None], why: str
) -> None:
    await archive_days(log, tmp_path)
    file = (await current(log.admin))[day(0) + 7 * HOUR]
    harm(tmp_path / file)
    for _ in range(2):  # a proof by the keeper makes it known
        (kept,) = await leave_rows(log.database, 0, tmp_path)
        assert kept.hindrance is not None
        assert kept.hindrance.startswith(f"archive file {file} is damaged: ")
        assert why in kept.hindrance
        assert (kept.failed, kept.archived) == (True, True)
        assert await log.admin.fetchval(IN_LOG, day(0)) == 16
        keeper = Keeper(log.database, tmp_path, past(0))
        await keeper._prove()
    await archived(log.database, tmp_path, past(0))
    assert await leave_rows(log.database, 0, tmp_path) == moved(0)
    assert await stages(log) == {0: "kept"}


async def test_a_day_stays_while_a_late_event_is_not_archived(old: Sharded, tmp_path: Path) -> None:
    await archive_days(old, tmp_path)
    late = an_event(900, at=day(0) + 7 * HOUR)
    assert await append(old.database, [late], shard=old.shard_of(late.session_id), clock=day(4)) == {}
    (kept,) = await leave_rows(old.database, 0, tmp_path)
    assert (kept.hindrance, kept.failed) == ("not in the archive yet", False)
    assert await old.admin.fetchval(IN_LOG, day(0)) == 17
    await archived(old.database, tmp_path, past(0))
    assert [(each.events, each.hindrance) for each in await leave_rows(old.database, 0, tmp_path)] == [(17, None)]


async def test_a_day_stays_when_the_files_are_others_than_were_proven(log: Sharded, tmp_path: Path) -> None:
    await archive_days(log, tmp_path)
    await leave_rows(log.database, 0, None)  # seals the day
    detach = log.database.statements.detach_day
    files = sorted({file for hour, file in (await current(log.admin)).items() if hour < day(1)})
    for some in (files[1:], []):
        row = await log.database.only(detach, day(0).date(), past(2), past(0), some)
        assert tuple(row) == ("not in the archive yet", False)
    assert tuple(await log.database.only(detach, day(0).date(), past(2), past(0), files)) == (None, False)
    assert await stages(log) == {0: "kept"}


async def test_a_day_stays_without_its_archive(log: Sharded, tmp_path: Path) -> None:
    (kept,) = await leave_rows(log.database, 0, tmp_path)
    assert (kept.hindrance, kept.failed) == ("not in the archive yet", False)
    await archive_days(log, tmp_path)
    (kept,) = await leave_rows(log.database, 0, None)
    assert (kept.hindrance, kept.failed) == ("this process has no archive", False)
    (tmp_path / MARKER).unlink()
    (kept,) = await leave_rows(log.database, 0, tmp_path)
    assert kept.hindrance is not None
    assert kept.hindrance.startswith("the archive cannot be read: its folder is not the archive of this database")
    assert not kept.failed
    assert await log.admin.fetchval("select count(*) from archive_files where damage is not null") == 0
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)


async def test_a_day_past_both_leaves_at_once_without_the_archive(log: Sharded) -> None:
    assert await retire(log.database, 0, event_days=RETENTION_DAYS, archive=None) == whole(0, events=EVENTS)
    assert len(of_day(0, EVENTS)) == 16
    assert EVENT_DAYS - LONGER == RETENTION_DAYS
