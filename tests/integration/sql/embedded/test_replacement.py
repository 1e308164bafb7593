"""A replacement takes the place of the embedded server's database, or leaves it as it was, and open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from sql.database import Database
from sql.embedded import replacement
from sql.embedded.replacement import drop_replacement, make_replacement, put_in_place
from sql.embedded.share import EmbeddedServer, use
from sql.errors import DatabaseError
from sql.statements import load
from sql.untouched import Touched
from tests.conftest import execute
from tests.support.embedded import ask, made_place
from tests.support.log import until_waited_for
from tests.support.servers import connected
from tests.support.waiting import until

IS_NEW = "select to_regclass('is_new') is not null"
SHUT = "not currently accepting connections"


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with made_place() as place, use(place / "data") as server:
        yield server


async def with_replacement(server: EmbeddedServer) -> None:
    made = await make_replacement(server)
    await execute(made.url, "create table is_new ()")


async def test_a_login_that_was_ended_cannot_come_back_before_the_swap(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_replacement(server)
    waits = f"{load().end_sessions}; select pg_advisory_xact_lock(1)"
    monkeypatch.setattr(replacement, "load", lambda: replace(load(), end_sessions=waits))
    async with connected(server.database_url("postgres")) as holder, connected(server.url) as ended:
        await holder.execute("select pg_advisory_lock(1)")
        swap = asyncio.create_task(put_in_place(server, 0))
        await until_waited_for(holder)
        await until(ended.is_closed, "the login is ended")
        with pytest.raises(asyncpg.PostgresError, match=SHUT):
            await asyncpg.connect(server.url)
        await holder.execute("select pg_advisory_unlock(1)")
        await swap
    async with connected(server.url) as connection:
        assert await connection.fetchval(IS_NEW)


async def test_after_a_swap_that_fails_the_database_is_open(server: EmbeddedServer) -> None:
    await with_replacement(server)
    await execute(server.database_url("postgres"), "create database hourledger_former")
    with pytest.raises(DatabaseError, match="already exists"):
        await put_in_place(server, 0)
    async with connected(server.url) as connection:
        assert not await connection.fetchval(IS_NEW)
    await drop_replacement(server)


async def test_a_service_that_uses_the_database_keeps_it(server: EmbeddedServer) -> None:
    await with_replacement(server)
    database = Database(server.url, connections=1)
    try:
        await database.rows(database.statements.has_schema)
        with pytest.raises(Touched, match=r"^hourledger uses the database now \(1 connections\)$"):
            await put_in_place(server, 0)
        await database.rows(database.statements.has_schema)
    finally:
        await database.close()
    async with connected(server.url) as connection:
        assert not await connection.fetchval(IS_NEW)


def test_a_database_that_a_killed_swap_left_shut_is_opened_by_the_next_start() -> None:
    with made_place() as place:
        data: Path = place / "data"
        with use(data) as server:
            asyncio.run(execute(server.database_url("postgres"), load().shut_database))
        with use(data) as server:
            assert ask(server.url, "select 1") == 1
