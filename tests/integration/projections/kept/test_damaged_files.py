"""The file of a kept day is all that there is: when it is wrong, its hours are damaged by name, and nothing changes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from projections.archive.kept_hours import KeptHours
from projections.archive.proof import archived_files, prove
from projections.rebuild import REBUILT, RebuiltHour
from projections.verify import ARCHIVE_FILE
from sql.database import Database
from sql.hourly import DAMAGED, PROJECTION, SEALED
from tests.support.file_damages import FILE_DAMAGES
from tests.support.kept_hours import proofs_of, rebuilt_days
from tests.support.projection import folded
from tests.support.retired_days import day
from tests.support.sharded import Sharded

FILES = "select distinct file from archive_hours where hour >= $1 and hour < $2"


async def file_of(log: Sharded, number: int) -> str:
    return str(await log.admin.fetchval(FILES, day(number), day(number + 1)))


async def proven(log: Sharded, archive: Path, file: str) -> list[str | None]:
    """Prove a file as the projector does; return what is wrong with it."""
    files = await archived_files(log.database, [file])
    return [proof.wrong async for proof in prove(log.database, archive, files)]


async def shown(database: Database, number: int) -> set[tuple[str, str | None]]:
    """Return the states of a day's hours, as answers show them, each with the file that its difference names."""
    rows = await database.rows(
        "select p.state, f.differences #>> '{named,0,key}' as file"
        " from proofs_of_hours(0, 'hourly', $1, $2) as p left join failed_hours('hourly') as f on f.hour = p.hour",
        day(number),
        day(number + 1),
    )
    return {(row["state"], row["file"]) for row in rows}


@pytest.mark.parametrize("what", FILE_DAMAGES)
async def test_a_wrong_file_damages_its_hours_by_name(log: Sharded, archive: Path, kept: KeptHours, what: str) -> None:
    file = await file_of(log, 1)
    content = (archive / file).read_bytes()
    assert {proof.state for proof in await proofs_of(log, kept, 0, 3)} == {SEALED}  # the files are known as right
    FILE_DAMAGES[what](archive / file, random.Random(7))
    before = await folded(log.admin)
    proofs = await proofs_of(log, kept, 0, 3)
    assert {(proof.state, proof.hour.start.date()) for proof in proofs} == {
        (SEALED, day(0).date()),
        (DAMAGED, day(1).date()),
        (SEALED, day(2).date()),
    }
    for proof in proofs:
        if proof.state == DAMAGED:
            (wrong,) = proof.differences
            assert (wrong.field, wrong.key, bool(wrong.recounted)) == (ARCHIVE_FILE, file, True)
    await log.admin.execute("update hourly_counts set events_00 = events_00 + 1 where hour = $1", day(1))
    changed = await folded(log.admin)
    assert {each.outcome for each in await rebuilt_days(log, kept, 1, 2)} == {DAMAGED}
    assert await folded(log.admin) == changed != before
    (archive / file).unlink(missing_ok=True)
    (archive / file).write_bytes(content)
    assert {each.outcome for each in await rebuilt_days(log, kept, 1, 2)} == {REBUILT}
    assert await folded(log.admin) == before
    assert {proof.state for proof in await proofs_of(log, kept, 1, 2)} == {SEALED}


async def test_answers_show_what_the_projector_found(log: Sharded, archive: Path) -> None:
    """It proves files every day, and hours of kept days no more."""
    statements = log.database.statements
    file = await file_of(log, 1)
    assert await shown(log.database, 1) == {(SEALED, None)}
    content = (archive / file).read_bytes()
    (archive / file).unlink()
    for _ in range(2):
        assert await proven(log, archive, file) == ["it is missing"]
        assert await shown(log.database, 1) == {(DAMAGED, file)}
        assert await shown(log.database, 0) == {(SEALED, None)}
        failed = await log.database.only(statements.count_failed_proofs)
        assert dict(failed) == {"drifted": 0, "damaged": 3, "broken": 0}
        shards = [*range(log.shards)]
        elsewhere = statements.list_failed_elsewhere
        rows = await log.database.rows(elsewhere, shards, PROJECTION, day(3), day(4), 10)
        assert [row["hour"].date() for row in rows] == [day(1).date()] * 3
        # Verify says so, too, and that is recorded, but it ends when the file is proven.
        with KeptHours(archive) as kept:
            assert {proof.state for proof in await proofs_of(log, kept, 1, 2)} == {DAMAGED}
    (archive / file).write_bytes(content)
    assert await proven(log, archive, file) == [None]
    assert await shown(log.database, 1) == {(SEALED, None)}
    assert sum(await log.database.only(statements.count_failed_proofs)) == 0


async def test_an_hour_that_no_file_holds_is_damaged(log: Sharded, kept: KeptHours) -> None:
    await log.admin.execute("delete from archive_hours where hour = $1", day(1))
    states = {proof.hour.start: proof.state for proof in await proofs_of(log, kept, 1, 2)}
    assert states.pop(day(1)) == DAMAGED
    assert set(states.values()) == {SEALED}
    assert await shown(log.database, 1) == {(DAMAGED, None), (SEALED, None)}
    assert [each for each in await rebuilt_days(log, kept, 1, 2) if each.outcome == DAMAGED] == [
        RebuiltHour(each.hour, DAMAGED) for each in await rebuilt_days(log, kept, 1, 2) if each.hour.start == day(1)
    ]


async def test_another_hour_in_the_catalog_is_no_answer(log: Sharded, kept: KeptHours) -> None:
    """A right file that holds other events than the catalog says, or is of another day."""
    await log.admin.execute("update archive_hours set digest_low = digest_low + 1 where hour = $1", day(1))
    await log.admin.execute(
        "update archive_hours set file = (select file from archive_hours where hour = $2) where hour = $1",
        day(2),
        day(0),
    )
    states = {proof.hour.start: proof.state for proof in await proofs_of(log, kept, 0, 3)}
    assert {hour for hour, state in states.items() if state == DAMAGED} == {day(1), day(2)}
    assert await shown(log.database, 1) == {(DAMAGED, await file_of(log, 1)), (SEALED, None)}
