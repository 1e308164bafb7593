"""Rolling back the schema does not lose the seals of dropped days."""

from __future__ import annotations

import pytest

from projections.retention import retain
from sql.database import Database
from sql.migrate import SchemaRefused, list_migrations, migrate, rollback
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support.retired_days import (
    EVENTS,
    LONG,
    SEALS,
    day,
    past,
    reading_at,
    retire,
    states,
    totals,
    whole,
)
from tests.support.sharded import Sharded


async def step_down_to(url: str, name: str, *, force: bool = False) -> None:
    """Roll the schema back until this step is the next one to undo."""
    (wanted,) = [step.version for step in list_migrations() if step.name == name]
    database = Database(url, connections=1)
    while (await database.only(database.statements.read_schema_version))["version"] > wanted:
        await rollback(url, force=force)
    await database.close()


async def test_the_step_down_before_seals_refuses_to_lose_them(log: Sharded) -> None:
    """Only seals remain of dropped days. Without seals the step loses nothing, and a migrate restores all."""
    await step_down_to(log.url, "seals")
    assert await rollback(log.url) is not None
    await migrate(log.url)
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)
    assert set((await states(log)).values()) == {"verified"}

    await retire(log.database, 0)
    await step_down_to(log.url, "retention")
    with pytest.raises(SchemaRefused, match="rolling back retention would lose the rows of leaving_days"):
        await rollback(log.url)
    await rollback(log.url, force=True)
    partition = await log.admin.fetchval("select to_regclass($1)", f"events_{day(0):%Y%m%d}")
    assert partition is None  # older code knows no detached days
    left = await log.admin.fetch(SEALS)
    with pytest.raises(SchemaRefused, match="rolling back people would lose the rows of hour_seals"):
        await rollback(log.url)
    await step_down_to(log.url, "seals", force=True)
    with pytest.raises(SchemaRefused, match="rolling back seals would lose the rows of hour_seals"):
        await rollback(log.url)
    assert await log.admin.fetch(SEALS) == left
    assert (await rollback(log.url, force=True)) is not None
    await migrate(log.url)
    assert "damaged" in (await states(log)).values()


async def test_an_older_log_with_dropped_days_goes_on_with_retention(log: Sharded) -> None:
    """The step down and up loses nothing while no day is detached, and readings begin at the newest event."""
    await retire(log.database, 0, grace_days=0)
    before = await states(log), await totals(log.database)
    await step_down_to(log.url, "people")
    await migrate(log.url)
    assert (await states(log), await totals(log.database)) == before
    passed = retain(log.database, Retention(RETENTION_DAYS, LONG, RETENTION_DAYS), reading=reading_at(past(8)))
    assert [retired async for retired in passed] == whole(1, events=EVENTS)
    (row,) = await log.database.rows(log.database.statements.list_shards)
    assert row["horizon"] == day(2)
