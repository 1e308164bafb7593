"""A change of a kept hour's rows is drift, which the file mends; a change of what was sealed is broken."""

from __future__ import annotations

import pytest

from projections.archive.kept_hours import KeptHours
from projections.rebuild import REBUILT
from sql.hourly import BROKEN, DAMAGED, DRIFTED, SEALED, VERIFIED
from tests.support.alterations import undone
from tests.support.kept_hours import proofs_of, rebuilt_days
from tests.support.oracle import HOUR
from tests.support.projection import folded
from tests.support.seal_changes import CHANGES, EMPTY, PLACES, ROWS, SECOND, Change
from tests.support.sharded import Sharded

RIGHT = {SEALED, VERIFIED}
# Changes that say of an hour without a file that something was appended to it.
WITHOUT_FILE = {
    "seal: another hour": {EMPTY},
    "seal: a microsecond later": {SECOND.replace(microsecond=1)},
    "the ledger has an hour more": {EMPTY},
}
# The rows are still what the file says, so it is the seal that was changed.
# The days of the changes.
RANGE = (-101, 5)
OF_SEAL = {"rollups are said to be deleted"}
TO_MEND = {EMPTY, SECOND + HOUR}


def is_of_rows(name: str, change: Change) -> bool:
    """Tell whether a change is one of rows, which the file mends."""
    if name in OF_SEAL | set(WITHOUT_FILE):
        return False
    fields = [wrong for hour, wrong in change.broken.items() if hour not in TO_MEND]
    return all(wrong == ROWS for wrong in fields)


async def judge(log: Sharded, kept: KeptHours, name: str, change: Change) -> None:
    """Make a change; assert that verify tells what it is, and that a rebuild mends rows and nothing else."""
    right = await folded(log.admin)
    await log.admin.execute(change.script.format(**PLACES))
    proofs = {proof.hour.start: proof for proof in await proofs_of(log, kept, *RANGE)}
    wrong = {hour: proof for hour, proof in proofs.items() if proof.state not in RIGHT}
    states = {proof.state for proof in wrong.values()}
    damaged = {hour for hour, proof in wrong.items() if proof.state == DAMAGED}
    assert damaged == WITHOUT_FILE.get(name, set())
    changed = await folded(log.admin)
    rebuilt = {each.hour.start: each.outcome for each in await rebuilt_days(log, kept, *RANGE)}
    if is_of_rows(name, change):
        assert states <= {DRIFTED}
        assert set(change.broken) | set(change.drifted) <= set(wrong)
        assert change.edges or set(wrong) == set(change.broken) | set(change.drifted)
        assert {rebuilt[hour] for hour in wrong} <= {REBUILT}
        assert await folded(log.admin) == right
        assert {proof.state for proof in await proofs_of(log, kept, *RANGE)} <= RIGHT
        return
    assert {hour for hour, proof in wrong.items() if proof.state == BROKEN} == set(change.broken) - damaged
    for hour in set(change.broken) - damaged:
        assert {each.field for each in wrong[hour].differences} == change.broken[hour]
    assert {hour for hour, outcome in rebuilt.items() if outcome in (BROKEN, DAMAGED)} == set(wrong)
    assert await folded(log.admin) == changed == right


@pytest.mark.versions("newest")
async def test_every_change_is_found_and_rows_are_mended(
    log: Sharded, kept: KeptHours, subtests: pytest.Subtests
) -> None:
    for name, change in CHANGES.items():
        with subtests.test(name):
            async with undone(log.admin):
                await judge(log, kept, name, change)
    assert {proof.state for proof in await proofs_of(log, kept, *RANGE)} <= RIGHT
