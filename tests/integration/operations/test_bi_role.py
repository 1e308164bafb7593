"""`python -m service bi-role`: the login that it makes and its output, on a separate server and on the embedded one."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from projections.long_readers import reader_watch
from service.operations.bi_role import with_login
from sql.database import Database
from sql.embedded.share import use
from sql.migrate import migrate
from tests.conftest import execute, folder_for_servers
from tests.support.environment import without_settings

ROOT = Path(__file__).parents[3]
LIMITS = (
    *("statement_timeout", "idle_in_transaction_session_timeout", "default_transaction_read_only"),
    *("temp_file_limit", "is_superuser"),
)
REFUSED = (
    *("select from events", "create temporary table mine (a integer)", "set temp_file_limit = -1"),
    *(
        "select lo_create(0)",
        "select lo_creat(-1)",
        "select lo_from_bytea(0, 'x')",
        "select lo_import('/etc/hostname')",
    ),
    *("select lo_put(1, 0, 'x')", "select lowrite(0, 'x')", "select lo_truncate(0, 9)", "select lo_truncate64(0, 9)"),
    "select pg_logical_emit_message(false, 'mine', 'x')",
)
# Connections of one login.
MOST = 10


async def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the command; return exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "bi-role", *arguments),
        env=without_settings() | environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def test_a_login_of_a_server_of_ones_own(empty_database_url: str) -> None:
    login = f"reader-{uuid4().hex}"
    code, output, errors = await run("--login", login, DATABASE_URL=empty_database_url)
    assert (code, errors) == (0, "")
    address = urlsplit(output.splitlines()[1].removeprefix("connect with: "))
    assert address.username == login
    assert len(address.password or "") > 20
    assert address.query == urlsplit(empty_database_url).query
    # The test server checks no passwords, so the connection assumes the role instead of logging in.
    reader = await asyncpg.connect(empty_database_url, server_settings={"role": login})
    assert await reader.fetch("select * from bi.daily") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch("select from events")
    await reader.close()
    code, output, errors = await run("--login", "hourledger", DATABASE_URL=empty_database_url)
    assert (code, output, errors) == (
        2,
        "",
        "error: the role hourledger exists, but is not a reader's login: choose another name\n",
    )
    await execute(empty_database_url, f'drop role "{login}"')


async def test_a_login_of_the_embedded_server_has_limits_that_it_cannot_lift() -> None:
    with folder_for_servers() as folder:
        data = str(folder / "data")
        code, output, errors = await run(HOURLEDGER_DATA_DIR=data)
        assert (code, errors) == (0, "")
        assert "postgresql://" not in output
        code, output, errors = await run("--login", "grafana", HOURLEDGER_DATA_DIR=data)
        assert (code, errors) == (0, "")
        address = output.splitlines()[1].removeprefix("connect with: ")
        with use(Path(data)) as server, pytest.raises(asyncpg.PostgresError, match="password authentication failed"):
            await asyncpg.connect(with_login(server.url, "grafana", "wrong"))
        with use(Path(data)) as server:
            readers = [await asyncpg.connect(address) for _ in range(MOST)]
            assert [await readers[0].fetchval("select current_setting($1)", name) for name in LIMITS] == [
                *("1min", "1min", "on", "1GB", "off"),
            ]
            with pytest.raises(asyncpg.TooManyConnectionsError):
                await asyncpg.connect(address)
            await readers[0].execute("set statement_timeout = 0; set default_transaction_read_only = off")
            for statement in REFUSED:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await readers[0].execute(statement)
            await no_lock_of_ours_can_be_taken(server.url, readers[0])
            await long_transactions_are_ended(server.url, readers[0], readers[1])
            for reader in readers[1:]:
                await reader.close()


async def no_lock_of_ours_can_be_taken(url: str, reader: asyncpg.Connection[asyncpg.Record]) -> None:
    """Assert that days are made, and that the schema migrates, while a reader holds the locks of an older release."""
    for name in ("hourledger make_day", "hourledger schema"):
        await reader.execute(f"select pg_advisory_lock(hashtextextended('{name}', 0))")
    for table, mode in (("events", "share update exclusive"), ("schema_migrations", "share row exclusive")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(f"begin; lock table {table} in {mode} mode")
        await reader.execute("rollback")
    await execute(url, "select make_day(current_date + 100)")
    assert await asyncio.wait_for(migrate(url), 60) == []


async def long_transactions_are_ended(
    url: str, busy: asyncpg.Connection[asyncpg.Record], idle: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Assert that a projector ends what a reader keeps open, whatever its settings are, and nothing else."""
    await idle.execute("set idle_in_transaction_session_timeout = 0; begin; select from bi.events limit 1")
    query = asyncio.create_task(busy.execute("set statement_timeout = 0; select pg_sleep(60)"))
    database = Database(url)
    look = reader_watch(database, longest=timedelta(0))
    pids = [reader.get_server_pid() for reader in (busy, idle)]
    with capture_logs() as told:
        while await database.rows("select from pg_stat_activity where pid = any ($1::integer[])", pids):
            await look()
    assert {(each["event"], each["login"]) for each in told} == {("a reader's session was ended", "grafana")}
    assert {each["pid"] for each in told} == set(pids)
    with pytest.raises(asyncpg.PostgresError, match="terminating connection due to administrator command"):
        await query
    idle.terminate()
    await database.close()
