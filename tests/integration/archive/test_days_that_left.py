"""A day that left the log is in no answer, whether it was archived or not, until it comes back."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from projections.undrop import undrop
from service.archive.engine import Engine
from sql.database import Database
from tests.support.archive_questions import Ids
from tests.support.archived import archive
from tests.support.oracle import HOUR, start_of
from tests.support.retired_days import DAY, EVENTS, day, fill, of_day, past, reading_at, retire
from tests.support.sharded import Sharded

pytestmark = pytest.mark.versions("newest")


@pytest.mark.parametrize("is_archived", [True, False])
async def test_the_answer_does_not_depend_on_the_archive(
    database: Database,
    database_url: str,
    admin: asyncpg.Connection,
    engine: Engine,
    archive_folder: Path,
    *,
    is_archived: bool,
) -> None:
    await fill(Sharded(database_url, 1, database, admin), EVENTS)
    if is_archived:
        hours = sorted({start_of(event.timestamp, HOUR) for event in of_day(0, EVENTS)})
        await archive(database, admin, archive_folder, hours)

    async def found() -> list[str]:
        # As cohorts ask: from the first event ever.
        return [row["event_id"] for row in (await engine.ask(Ids())).rows]

    everything = sorted(event.event_id for event in EVENTS)
    assert await found() == everything
    await retire(database, 0)
    assert await found() == sorted(event.event_id for event in EVENTS if event.timestamp >= day(0) + DAY)
    assert [back.day async for back in undrop(database, None, reading=reading_at(past(0)))] == [day(0).date()]
    assert await found() == everything
