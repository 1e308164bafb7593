"""A day is opened beside whatever else uses it, and nothing stalls or stays half done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from projections.archive.kept_days import prove_day
from projections.history import NotNow
from sql.database import Database, Row
from sql.errors import DatabaseError
from tests.support.history import Past, date_of, history_of
from tests.support.log import until_waited_for
from tests.support.retired_days import day, past


async def test_a_day_whose_rows_are_being_dropped_is_not_opened_without_them(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    kept = await past_days.in_files(0)
    proven = await prove_day(past_days.log.database, past_days.archive, day(0), day(1))
    dropping = await asyncpg.connect(past_days.log.url)
    await dropping.execute("begin")
    query = past_days.log.database.statements.drop_detached
    assert tuple(*await dropping.fetch(query, date_of(0), past(1_000), proven)) == (None,)
    opening = asyncio.create_task(past_days.history.open(date_of(0), "a test", "me"))
    await until_waited_for(dropping)
    await dropping.execute("commit")
    await dropping.close()
    with pytest.raises(NotNow, match="its events have just left the log"):
        await opening
    assert await past_days.history.left() == []
    assert await past_days.history.open(date_of(0), "a test", "me") is None
    assert await past_days.rows(0) == kept
    await past_days.history.close(date_of(0))
    await past_days.check()


async def test_a_day_whose_table_is_no_part_of_the_log_is_not_opened(past_days: Past) -> None:
    partition = await past_days.log.admin.fetchval("select day_partition($1)", date_of(-20))
    await past_days.log.admin.execute(f"create table {partition} (like events)")
    with pytest.raises(DatabaseError, match=f"the log has no partition of it, and {partition} cannot become one"):
        await past_days.history.open(date_of(-20), "a test", "me")
    assert await past_days.history.left() == []


async def test_a_verify_of_the_day_ends_before_it_is_opened_and_appends_go_on(past_days: Past) -> None:
    """The test is a verify that has read where an hour is kept."""
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    statements = past_days.log.database.statements
    verifying, appending = [await asyncpg.connect(past_days.log.url) for _ in range(2)]
    await verifying.execute("begin; set local lock_timeout = '5s'")
    assert await verifying.fetch(statements.read_kept_hour, 0, day(0))
    opening = asyncio.create_task(past_days.history.open(date_of(0), "a test", "me"))
    await until_waited_for(verifying)
    await appending.execute("begin; set local lock_timeout = '1ms'; lock table events in row exclusive mode; rollback")
    await verifying.execute("select from checkpoints where shard = 0 for update")
    await verifying.execute("commit")
    assert await opening is None
    for connection in (verifying, appending):
        await connection.close()
    await past_days.history.close(date_of(0))
    await past_days.check()


async def test_while_a_backup_holds_the_log_a_day_is_tried_ever_less_often(
    past_days: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appends wait behind each try, so each pause follows one try."""
    await past_days.bring_in(0, history_of(0))
    backup = await asyncpg.connect(past_days.log.url)
    await backup.execute("begin; lock table events in access share mode")
    seen: list[str | float] = []
    only, sleep = Database.only, asyncio.sleep

    async def tried(database: Database, query: str, *args: object) -> Row:
        if query == database.statements.open_day:
            seen.append("try")
        return await only(database, query, *args)

    async def paused(seconds: float) -> None:
        seen.append(seconds)
        if seen.count("try") == 4:
            await backup.execute("rollback")
        await sleep(seconds)

    monkeypatch.setattr(Database, "only", tried)
    monkeypatch.setattr("projections.history.asyncio.sleep", paused)
    history = replace(past_days.history, pauses=(0.01, 0.02, 0.05))
    assert await history.open(date_of(0), "a test", "me") is None
    monkeypatch.undo()
    assert seen == ["try", 0.01, "try", 0.02, "try", 0.05, "try", 0.05, "try"]
    await backup.close()
    await past_days.history.close(date_of(0))
    await past_days.check()
