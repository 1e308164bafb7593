"""A pool whose connections were ended recovers, and asks again only what cannot write."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from sql.database import Database
from sql.errors import Lost, Unavailable, translate

# Connections of the pool only; its first probe, and ended connections, take a moment to disappear.
OTHERS = "from pg_stat_activity where application_name = 'hourledger' and datname = current_database()"
END_OTHERS = f"select count(pg_terminate_backend(pid)) {OTHERS}"


async def end_all(admin: asyncpg.Connection) -> None:
    """End all four connections of a pool."""
    async with asyncio.timeout(60):
        while await admin.fetchval(f"select count(*) {OTHERS}") != 4:
            pass
    assert await admin.fetchval(END_OTHERS) == 4


SLEEPING = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"


async def test_a_pool_whose_connections_were_ended_recovers(database: Database, admin: asyncpg.Connection) -> None:
    async def use_all_at_once() -> int:
        """Return how many of 20 calls failed as unavailable, which tells callers to try again."""
        outcomes = await asyncio.gather(*(database.rows("select 1") for _ in range(20)), return_exceptions=True)
        assert all(isinstance(outcome, list | Unavailable) for outcome in outcomes)
        return sum(isinstance(outcome, Unavailable) for outcome in outcomes)

    async def be_ended_in_a_transaction() -> None:
        async with database.transaction() as session:
            await session.rows("select 1")
            await end_all(admin)
            await session.rows("select 1")

    assert await use_all_at_once() == 0
    await end_all(admin)
    # Each lost connection fails one call at most.
    assert await use_all_at_once() <= 4
    assert await use_all_at_once() == 0
    with pytest.raises(Unavailable):
        await be_ended_in_a_transaction()
    assert await use_all_at_once() <= 4
    assert await use_all_at_once() == 0


def test_what_the_driver_says_of_a_connection_that_has_gone_is_no_fault_of_the_program() -> None:
    for said in (
        "connection is closed",
        "cannot perform operation: connection is closed",
        "cannot call Transaction.__aexit__(): the underlying connection is closed",
        "cannot call Connection.fetch(): connection has been released back to the pool",
        "pool is closing",
    ):
        assert type(translate(asyncpg.InterfaceError(said))) is Lost


async def test_reads_that_were_lost_with_their_connections_are_asked_again(
    database_url: str, admin: asyncpg.Connection
) -> None:
    reads = Database(database_url, read_only=True)
    for end in ("all at once", "one after another"):
        await asyncio.gather(*(reads.rows("select pg_sleep(0.05)") for _ in range(4)))
        assert await admin.fetchval(END_OTHERS) == 4
        if end == "all at once":
            await asyncio.gather(*(reads.rows("select 1") for _ in range(20)))
        else:
            assert [len(await reads.rows("select 1")) for _ in range(20)] == [1] * 20
    under_way = [asyncio.create_task(reads.rows("select pg_sleep(0.2)")) for _ in range(4)]
    while await admin.fetchval(SLEEPING) != 4:
        pass
    assert await admin.fetchval(END_OTHERS) == 4
    assert [len(rows) for rows in await asyncio.gather(*under_way)] == [1] * 4
    await reads.close()


async def test_what_may_write_is_not_asked_again(database: Database, admin: asyncpg.Connection) -> None:
    under_way = asyncio.create_task(database.rows("select pg_sleep(10)"))
    while await admin.fetchval(SLEEPING) != 1:
        pass
    await admin.fetchval(END_OTHERS)
    with pytest.raises(Lost):
        await under_way
