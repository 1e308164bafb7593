"""A fault of the whole database closes the shards without events, too, so that readiness tells of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
import pytest

from service.errors import DiskFull, NotReady
from service.http.health import readiness
from service.ingest import appender as module
from service.ingest.appender import Appender
from service.ingest.outcomes import DISK_FULL, STORED, UNAVAILABLE
from service.settings import load
from sql.database import Database
from sql.migrate import migrate
from tests.conftest import RETENTION_DAYS
from tests.support.log import an_event, head_locked
from tests.support.waiting import until

SOON = 20
# The shards of each site.
Shards: TypeAlias = list[tuple[int, ...]]
# Sites without events beside the one that has some, and shards of one site: four queues in either case.
IDLE: tuple[Shards, ...] = ([(1,), (2,), (3,)], [(1, 2, 3)])
REFUSE = """
create function refuse() returns trigger language plpgsql as $$
begin
    raise exception 'No space left on device' using errcode = 'disk_full';
end
$$;
create trigger refuse before insert on events for each row execute function refuse();
"""
END_OTHERS = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPEAT_SECONDS", 0.1)


@asynccontextmanager
async def with_idle(url: str, idle: Shards) -> AsyncIterator[Appender]:
    """Give an appender with the queue of shard 0, which has events, and the idle ones."""
    await migrate(url, shards=4)
    database = Database(url, lock_seconds=1)
    appender = Appender(database, RETENTION_DAYS)
    await appender.start()
    try:
        await until(lambda: appender.available, "events can be appended")
        for number, shards in enumerate([(0,), *idle]):
            assert await appender.append_one(an_event(number), shards) == STORED
        yield appender
    finally:
        await appender.close()
        await database.close()


async def status(url: str, appender: Appender) -> tuple[int, str]:
    database = Database(url, read_only=True)
    answer = await readiness(database, appender, load({}))
    await database.close()
    return answer.status, json.loads(answer.body).get("status", "")


@pytest.mark.parametrize("idle", IDLE)
async def test_locked_heads_close_idle_shards(empty_database_url: str, idle: Shards) -> None:
    async with with_idle(empty_database_url, idle) as appender:
        async with head_locked(empty_database_url):
            assert await appender.append_one(an_event(10), (0,)) == UNAVAILABLE
            await until(lambda: appender.stuck, "no shard takes events", SOON)
            assert await status(empty_database_url, appender) == (503, "")
            with pytest.raises(NotReady):
                appender.admission.check_room(1)
        await until(lambda: not appender.closed_shards, "all shards take events", SOON)


async def test_a_read_only_database_closes_idle_shards(empty_database_url: str) -> None:
    admin = await asyncpg.connect(empty_database_url)
    name = await admin.fetchval("select quote_ident(current_database())")
    async with with_idle(empty_database_url, IDLE[0]) as appender:
        await admin.execute(f"alter database {name} set default_transaction_read_only = on")
        await admin.execute(END_OTHERS)
        assert await appender.append_one(an_event(10), (0,)) == UNAVAILABLE
        await until(lambda: appender.stuck, "no shard takes events", SOON)
        assert await status(empty_database_url, appender) == (503, "")
        await admin.execute(f"alter database {name} reset default_transaction_read_only")
        await admin.execute(END_OTHERS)
        await until(lambda: not appender.closed_shards, "all shards take events", SOON)
    await admin.close()


@pytest.mark.parametrize("idle", IDLE)
async def test_a_full_disk_is_every_shards(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, idle: Shards
) -> None:
    monkeypatch.setattr(module, "DISK_FULL_SECONDS", 3600)
    admin = await asyncpg.connect(empty_database_url)
    async with with_idle(empty_database_url, idle) as appender:
        await admin.execute(REFUSE)
        assert await appender.append_one(an_event(10), (0,)) == DISK_FULL
        assert (appender.available, appender.admission.disk_full) == (False, True)
        assert await status(empty_database_url, appender) == (200, "degraded")
        # A site that is new while the disk is full.
        with pytest.raises(DiskFull):
            await appender.append_one(an_event(11), (4,))
        assert appender.closed_shards == [0, 1, 2, 3, 4]
        assert appender.admission.disk_full
    await admin.close()


async def test_shards_that_a_full_disk_closed_open_again(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DISK_FULL_SECONDS", 0.1)
    admin = await asyncpg.connect(empty_database_url)
    async with with_idle(empty_database_url, IDLE[0]) as appender:
        await admin.execute(REFUSE)
        assert await appender.append_one(an_event(10), (0,)) == DISK_FULL
        await admin.execute("drop trigger refuse on events")
        await until(lambda: not appender.closed_shards, "all shards take events", SOON)
        assert not appender.admission.disk_full
        assert await appender.append_one(an_event(11), (2,)) == STORED
    await admin.close()


async def test_one_head_that_is_locked_closes_no_other_shard(empty_database_url: str) -> None:
    holder = await asyncpg.connect(empty_database_url)
    async with with_idle(empty_database_url, IDLE[0]) as appender, holder.transaction():
        await holder.execute("select from log_heads where shard = 0 for update")
        assert await appender.append_one(an_event(10), (0,)) == UNAVAILABLE
        # Each waits for the trial of its shard.
        for number, shards in enumerate(IDLE[0]):
            assert await appender.append_one(an_event(20 + number), shards) == STORED
        assert appender.closed_shards == [0]
    await holder.close()
