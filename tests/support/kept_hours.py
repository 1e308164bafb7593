"""Days whose rows have left the log while the archive keeps their events."""

from __future__ import annotations

from pathlib import Path

from projections.archive.kept_hours import KeptHours
from projections.hours import list_hours
from projections.rebuild import RebuiltHour, rebuild
from projections.verify import HourProof, verify
from tests.support.archive import archived
from tests.support.archived_days import leave_rows
from tests.support.oracle import HOUR
from tests.support.retired_days import day, past
from tests.support.sharded import Sharded


async def keep(log: Sharded, archive: Path, number: int) -> None:
    """Archive all days, each as one file, and take the rows of the days up to this one out of the log."""
    await archived(log.database, archive, past(number))
    await archived(log.database, archive, past(number) + HOUR)
    assert [each for each in await leave_rows(log.database, number, archive) if each.hindrance] == []


async def proofs_of(log: Sharded, kept: KeptHours, since: int = 0, until: int = 5) -> list[HourProof]:
    """Verify the hours of some days."""
    hours = await list_hours(log.database, day(since), day(until))
    return [proof async for proof in verify(log.database, hours, kept)]


async def rebuilt_days(log: Sharded, kept: KeptHours, since: int = 0, until: int = 5) -> list[RebuiltHour]:
    """Rebuild the hours of some days."""
    hours = await list_hours(log.database, day(since), day(until))
    return [each async for each in rebuild(log.database, hours, kept)]
