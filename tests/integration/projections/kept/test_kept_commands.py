"""The commands say of kept days what is wrong, and what they could not check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sql.archive.files import MARKER
from tests.support.projection import folded
from tests.support.projections_command import run, text
from tests.support.retired_days import day
from tests.support.sharded import Sharded

pytestmark = pytest.mark.versions("newest")
FILE = "select file from archive_hours where hour = $1"


async def test_a_drifted_day_is_found_and_rebuilt_from_its_file(log: Sharded, archive: Path) -> None:
    place = {"HOURLEDGER_ARCHIVE_DIR": str(archive)}
    right = await folded(log.admin)
    assert (await run(log.url, "verify", **place)).output.endswith(": clean\n")
    await log.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", day(1))
    told = await run(log.url, "verify", **place)
    assert (told.code, told.output.count(": drifted: ")) == (1, 4)
    rebuilt = await run(log.url, "rebuild", "--from", f"{day(1):%Y-%m-%d}", "--to", f"{day(2):%Y-%m-%d}", **place)
    assert (rebuilt.code, rebuilt.output) == (
        0,
        "rebuild of hourly: 3 hours, 16 events: 1 hour changed, 0 not rebuilt, 0 sealed\n",
    )
    assert await folded(log.admin) == right
    assert (await run(log.url, "verify", **place)).code == 0


async def test_a_lost_file_is_named_and_its_hours_keep_their_rollups(log: Sharded, archive: Path) -> None:
    place = {"HOURLEDGER_ARCHIVE_DIR": str(archive)}
    file = await log.admin.fetchval(FILE, day(1))
    (archive / file).unlink()
    right = await folded(log.admin)
    told = await run(log.url, "verify", **place)
    hours = [line for line in told.output.splitlines() if ": damaged: archive file" in line]
    assert (told.code, len(hours)) == (1, 4)
    assert hours[0] == f"{text(day(1))} shard 0: damaged: archive file {file}: it is missing"
    assert hours[-1].endswith(f"{text(day(1))} to {day(1):%Y-%m-%d}T23:00Z: put the file back from a backup")
    answer = json.loads((await run(log.url, "verify", "--json", **place)).output)
    assert (answer["ok"], answer["damaged"], answer["sealed"], answer["unchecked"]) == (False, 3, 9, 0)
    assert {(found["field"], found["key"]) for found in answer["findings"]} == {("archive_file", file)}
    everything = await run(log.url, "rebuild", **place)
    assert (everything.code, everything.output.count("not rebuilt: raw events are damaged")) == (1, 3)
    assert await log.admin.fetchval("select live_version from projections") == 2
    await log.admin.execute("delete from hourly_counts where version = 1")
    await run(log.url, "drop-old")
    await log.admin.execute("update hourly_counts set version = 1")
    await log.admin.execute("update hourly_members set version = 1")
    await log.admin.execute("update hourly_edges set version = 1")
    assert await folded(log.admin) == right


@pytest.mark.parametrize("found", [None, "another archive\n"])
async def test_without_the_folder_nothing_is_said_to_be_damaged(log: Sharded, archive: Path, found: str | None) -> None:
    elsewhere = archive.with_name("elsewhere")
    if found is not None:
        elsewhere.mkdir()
        (elsewhere / MARKER).write_text(found)
    place = {"HOURLEDGER_ARCHIVE_DIR": str(elsewhere)}
    told = await run(log.url, "verify", **place)
    assert (told.code, told.output.splitlines()[-1].rpartition(": ")[2]) == (2, "not all checked")
    assert "damaged: " not in told.output
    assert told.last_error.startswith(f"error: the archive cannot be checked: {elsewhere} is not the archive of this")
    answer = json.loads((await run(log.url, "verify", "--json", **place)).output)
    assert (answer["ok"], answer["unchecked"], answer["damaged"]) == (False, 12, 0)
    for arguments in ([], ["--from", f"{day(1):%Y-%m-%d}", "--to", f"{day(2):%Y-%m-%d}"]):
        refused = await run(log.url, "rebuild", *arguments, **place)
        assert (refused.code, refused.last_error.startswith(f"error: {elsewhere} is not the archive")) == (2, True)
    # The rebuild goes on once the disk is there.
    assert (await run(log.url, "rebuild", HOURLEDGER_ARCHIVE_DIR=str(archive))).code == 0
