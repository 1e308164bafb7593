"""The projector keeps the archive beside its other work, in a bounded share of the time."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from projections.archive.keeper import IDLE_SECONDS, PATIENCE, PATIENCE_AGAIN, SHARE, Keeper
from projections.archive.thread import in_thread
from projections.follow import follow
from sql.archive.duck import connect
from sql.database import Database
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.integration.projections.test_due_hours import rows_of as rows_in
from tests.support.archive import DAY_START, current, files_of
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.sharded import MORE_SHARDS

ALL_ARCHIVED = """
insert into hour_ledger (shard, hour, events, position_sum, digest_high, digest_low)
select s, h, 1, 1, 1, 1
from
    generate_series(0, 7) as s,
    generate_series(timestamptz '{start}' - interval '90 days', timestamptz '{start}' - interval '1 h', '1 h') as h;
insert into hour_proofs (shard, projection, version, hour, state, events, digest_high, digest_low, verified_at)
select shard, 'hourly', 1, hour, 'verified', 1, 1, 1, hour + interval '2 hours' from hour_ledger;
insert into hourly_documents (shard, version, hour, document, events, sessions, keys)
select shard, 1, hour, '{{}}', 1, 1, 1 from hour_ledger;
insert into archive_files
select
    shard || ' ' || date_trunc('day', hour, 'UTC'), shard, min(hour), min(hour) + interval '1 day',
    24, 1, '[]', 0, now()
from hour_ledger
group by shard, date_trunc('day', hour, 'UTC');
insert into archive_hours
select shard, hour, shard || ' ' || date_trunc('day', hour, 'UTC'), 1, 1, 1, 1, now() from hour_ledger
"""


async def test_the_projector_archives_by_itself(database: Database, admin: asyncpg.Connection, tmp_path: Path) -> None:
    await append(database, [an_event(0, at=DAY_START), an_event(1, at=DAY_START + HOUR)])
    stop = asyncio.Event()
    kept = Retention(RETENTION_DAYS, RETENTION_DAYS, RETENTION_DAYS)
    projector = asyncio.create_task(follow(database, kept, 2, stop, archive=tmp_path / "archive"))
    async with asyncio.timeout(60):
        while len(await current(admin)) < 2:  # noqa: ASYNC110  # a file sends no event
            await asyncio.sleep(0.02)
    stop.set()
    await projector
    assert files_of(tmp_path / "archive") == sorted((await current(admin)).values())


@pytest.mark.parametrize("seconds", [0.01, 1.0, 30.0])
def test_archiving_takes_a_bounded_share_of_the_time(database: Database, tmp_path: Path, seconds: float) -> None:
    keeper = Keeper(database, tmp_path)
    assert seconds / (seconds + keeper.pause_after(seconds, idle=False)) == pytest.approx(SHARE) == 0.2
    assert keeper.pause_after(seconds, idle=True) == IDLE_SECONDS


async def test_a_stop_ends_a_statement_of_duckdb(tmp_path: Path) -> None:
    """A day of ten million events takes longer than a process that is told to stop may take."""
    with closing(connect(tmp_path, "256MB", 1)) as duck:
        endless = "select count(*) from range(10000000000) as a, range(10000000000) as b where a.range <> b.range"
        began = threading.Event()

        def work() -> None:
            began.set()
            duck.execute(endless)

        task = asyncio.create_task(in_thread(work, duck))
        await asyncio.to_thread(began.wait)
        task.cancel()
        async with asyncio.timeout(30):
            with pytest.raises(asyncio.CancelledError):
                await task


@pytest.mark.versions("every")
@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_looking_for_what_is_due_reads_no_row_twice(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    """The projector looks every few seconds; here 90 days in 8 shards have nothing due."""
    for script in (MORE_SHARDS, ALL_ARCHIVED.format(start=DAY_START), *(["analyze"] if analyzed else [])):
        await admin.execute(script)
    statements = database.statements
    hours = 90 * 24
    for query, arguments in (
        (statements.list_hours_to_archive, (3, 1, [], 1)),
        (statements.list_days_to_archive, (3, 1, PATIENCE, PATIENCE_AGAIN, None, [], 1)),
    ):
        assert await admin.fetch(query, *arguments) == []
        prepared = await admin.prepare(f"explain (analyze, format json) {query}")
        ((plan,),) = await prepared.fetch(*arguments)
        assert hours <= sum(rows_in(json.loads(plan)[0]["Plan"])) < 20 * hours
