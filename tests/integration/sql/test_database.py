"""The pool and its errors, on a real server that refuses, hangs up, or is absent."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import asyncpg
import pytest
from asyncpg import exceptions

from sql.database import SETTINGS, Database
from sql.errors import DatabaseError, Lost, MissingDay, Refused, Unavailable, translate, translated
from sql.statements import load
from tests.conftest import free_port

SHOWN = {"TimeZone": "UTC", "jit": "off", "lock_timeout": "10s", "statement_timeout": "15s"}
SHOW = "select name, current_setting(name) as value from unnest($1::text[]) as name"


async def test_every_query_is_one_that_the_database_understands(admin: asyncpg.Connection) -> None:
    for name, query in asdict(load()).items():
        if "create table schema_migrations" not in query:
            statement = await admin.prepare(query)
            assert statement.get_query() == query, name


REFUSED: list[tuple[str, tuple[object, ...], type[DatabaseError]]] = [
    ("selec 1", (), DatabaseError),
    ("select nothing", (), DatabaseError),
    ("select * from nowhere", (), DatabaseError),
    ("select $1::text", ("a\0b",), Refused),
    ("select $1::text", ("\ud800",), Refused),
    ("select $1::text::jsonb", ("{",), Refused),
    ("select $1::text::jsonb", (r'"\u0000"',), Refused),
    ("select $1::integer", ("one",), Refused),
    ("select $1::integer", (2**40,), Refused),
    ("select 1 / $1::integer", (0,), Refused),
    ("insert into log_heads values (0)", (), Refused),
    ("insert into log_heads values (-1)", (), Refused),
    ("insert into log_heads values (null)", (), Refused),
    ("insert into events select 1, 'infinity', now(), 0, true, 'e', 's', null, 'k'", (), MissingDay),
    ("select $1::integer", (), DatabaseError),
    ("select 1", (1,), DatabaseError),
    ("select pg_terminate_backend(pg_backend_pid())", (), Lost),
    ("select pg_cancel_backend(pg_backend_pid()), pg_sleep(10)", (), Unavailable),
]


async def test_what_postgresql_refuses_is_said_in_our_words(database: Database, subtests: pytest.Subtests) -> None:
    for query, arguments, kind in REFUSED:
        with subtests.test(query):
            with pytest.raises(DatabaseError) as caught:
                await database.rows(query, *arguments)
            assert type(caught.value) is kind
            assert "\n" not in str(caught.value)
            assert (await database.only("select 1 as one"))["one"] == 1


@pytest.mark.parametrize(
    "statements",
    [
        ["set local statement_timeout = '5ms'", "select pg_sleep(10)"],
        ["set local lock_timeout = '5ms'", "update log_heads set horizon = now()"],
        ["set transaction read only", "delete from receipts"],
        ["set local idle_in_transaction_session_timeout = '5ms'", "select 1", "wait", "select 1"],
    ],
    ids=["statement timeout", "lock timeout", "read-only", "idle in transaction"],
)
async def test_what_may_go_better_another_time_is_unavailable(
    database: Database, admin: asyncpg.Connection, statements: list[str]
) -> None:
    async def attempt() -> None:
        async with database.transaction() as session:
            for statement in statements:
                if statement == "wait":
                    await until_idle_is_ended(admin)
                else:
                    await session.rows(statement)

    async with admin.transaction():
        await admin.execute("select from log_heads for update")
        with pytest.raises(Unavailable):
            await attempt()
    assert (await database.only("select 1 as one"))["one"] == 1


async def until_idle_is_ended(admin: asyncpg.Connection) -> None:
    waiting = "select count(*) from pg_locks where locktype = 'virtualxid' and pid <> pg_backend_pid()"
    deadline = asyncio.get_running_loop().time() + 60
    while await admin.fetchval(waiting) and asyncio.get_running_loop().time() < deadline:
        pass


def test_every_exception_of_the_driver_is_translated() -> None:
    for name, kind in inspect.getmembers(exceptions, inspect.isclass):
        if issubclass(kind, Exception) and not issubclass(kind, Warning):
            with pytest.raises(DatabaseError), translated():
                raise kind(name)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.TooManyConnectionsError, Unavailable),
        (asyncpg.CannotConnectNowError, Unavailable),
        (asyncpg.AdminShutdownError, Lost),
        (asyncpg.CrashShutdownError, Lost),
        (asyncpg.DiskFullError, Unavailable),
        (asyncpg.OutOfMemoryError, Unavailable),
        (asyncpg.PostgresIOError, Unavailable),
        (asyncpg.SerializationError, Unavailable),
        (asyncpg.DeadlockDetectedError, Unavailable),
        (asyncpg.ConnectionDoesNotExistError, Lost),
        (asyncpg.InternalClientError, Lost),
        (asyncpg.InterfaceError, DatabaseError),
        (ConnectionResetError, Lost),
        (BrokenPipeError, Lost),
        (FileNotFoundError, Unavailable),
        (TimeoutError, Unavailable),
        (asyncpg.InvalidPasswordError, DatabaseError),
        (asyncpg.InsufficientPrivilegeError, DatabaseError),
        (asyncpg.UndefinedFunctionError, DatabaseError),
        (asyncpg.CheckViolationError, Refused),
        (asyncpg.DataError, Refused),
    ],
)
def test_which_errors_may_pass_by_themselves(error: type[Exception], kind: type[DatabaseError]) -> None:
    found = translate(error("two\n lines"))
    assert type(found) is kind
    assert str(found) == "two lines"
    assert str(translate(error(""))) != ""


async def test_a_server_that_is_not_there_is_unavailable(database_url: str, tmp_path: Path) -> None:
    for url in (f"postgresql://nobody@127.0.0.1:{free_port()}/x", f"postgresql://nobody@/x?host={tmp_path}"):
        database = Database(url)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await database.rows("select 1")
        await database.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"N", b"\0" * 100], ids=repr)
async def test_a_server_that_is_no_postgresql_is_unavailable(answer: bytes) -> None:
    async with a_server_that_says(answer) as port:
        database = Database(f"postgresql://nobody@127.0.0.1:{port}/x")
        with pytest.raises(Unavailable):
            await database.rows("select 1")
        await database.close()


@asynccontextmanager
async def a_server_that_says(answer: bytes) -> AsyncIterator[int]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


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


async def test_a_pool_for_reads_cannot_write(
    database_url: str, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    async def between(url: str) -> bool:
        return pooler

    monkeypatch.setattr("sql.database.is_pooler_between", between)
    for pooler in (False, True):
        with subtests.test(pooler=pooler):
            reads = Database(database_url, read_only=True)
            with pytest.raises(Unavailable, match="read-only transaction"):
                await reads.rows("delete from receipts")
            async with reads.transaction() as session:
                with pytest.raises(Unavailable, match="read-only transaction"):
                    await session.rows("delete from receipts")
            await reads.close()


async def test_settings_hold_whatever_the_server_defaults_are(database: Database, admin: asyncpg.Connection) -> None:
    name = await admin.fetchval("select quote_ident(current_database())")
    for setting in ("timezone = 'Asia/Kathmandu'", "statement_timeout = '1h'", "jit = on"):
        await admin.execute(f"alter database {name} set {setting}")
    rows = await database.rows(SHOW, list(SHOWN))
    assert {row["name"]: row["value"] for row in rows} == SHOWN


async def test_each_statement_is_planned_for_its_values_where_that_is_asked_for(database_url: str) -> None:
    for plan_each, mode in ((False, "auto"), (True, "force_custom_plan")):
        database = Database(database_url, connections=1, plan_each=plan_each)
        assert (await database.only(SHOW, ["plan_cache_mode"]))["value"] == mode
        await database.close()


async def test_behind_a_pooler_each_call_brings_its_settings_and_leaves_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def yes(url: str) -> bool:
        return True

    monkeypatch.setattr("sql.database.is_pooler_between", yes)
    database = Database(database_url, connections=1)
    rows = await database.rows(SHOW, [*SHOWN, "application_name"])
    assert {row["name"]: row["value"] for row in rows} == SHOWN | {"application_name": SETTINGS["application_name"]}
    async with database.transaction() as session:
        rows = await session.rows(SHOW, list(SHOWN))
        assert {row["name"]: row["value"] for row in rows} == SHOWN
        assert await session.rows("select * from pg_prepared_statements") == []
    connection = await database._pool.acquire()
    assert await connection.fetchval("select current_setting('application_name')") == ""
    await database._pool.release(connection)
    await database.close()


async def test_a_transaction_that_is_left_open_is_rolled_back(database: Database) -> None:
    """The pool does not reset returned connections, so it relies on asyncpg to roll back."""
    pool = await database._open()
    async with pool.acquire() as connection:
        await connection.execute("begin; create table left_open ()")
    assert [tuple(row) for row in await database.rows("select to_regclass('left_open')")] == [(None,)]
