"""Errors of the driver and of the server, in our words: which refuse, and which may pass by themselves."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from asyncpg import exceptions

from sql.database import Database
from sql.errors import (
    DatabaseError,
    DiskFull,
    Lost,
    MissingDay,
    Refused,
    Unavailable,
    Unreachable,
    Unreadable,
    translate,
    translated,
)
from tests.conftest import free_port

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
        (asyncpg.DiskFullError, DiskFull),
        (asyncpg.OutOfMemoryError, Unavailable),
        (asyncpg.PostgresIOError, Unreadable),
        (asyncpg.UndefinedFileError, Unreadable),
        (asyncpg.PostgresSystemError, Unavailable),
        (asyncpg.DataCorruptedError, Unreadable),
        (asyncpg.IndexCorruptedError, Unreadable),
        (asyncpg.InternalServerError, Unreadable),
        (asyncpg.SerializationError, Unavailable),
        (asyncpg.DeadlockDetectedError, Unavailable),
        (asyncpg.ConnectionDoesNotExistError, Lost),
        (asyncpg.InternalClientError, Lost),
        (asyncpg.InterfaceError, DatabaseError),
        (ConnectionResetError, Lost),
        (BrokenPipeError, Lost),
        (FileNotFoundError, Unreachable),
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
