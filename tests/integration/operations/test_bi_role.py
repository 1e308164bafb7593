"""`python -m service bi-role`: the login that it makes and its output, on a separate server and on the embedded one."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from sql.embedded.share import use
from tests.conftest import execute, folder_for_servers
from tests.support.environment import without_settings

ROOT = Path(__file__).parents[3]
LIMITS = ("role", "statement_timeout", "default_transaction_read_only")


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
        "error: the role hourledger exists, but is not a member of hourledger_bi: choose another name\n",
    )
    await execute(empty_database_url, f'drop role "{login}"')


async def test_the_embedded_server() -> None:
    with folder_for_servers() as folder:
        data = str(folder / "data")
        code, output, errors = await run("--login", "x", HOURLEDGER_DATA_DIR=data)
        assert (code, output) == (2, "")
        assert "lets in only its own user, without a password: leave out --login" in errors
        code, output, errors = await run(HOURLEDGER_DATA_DIR=data)
        assert (code, errors) == (0, "")
        assert output.splitlines()[1].startswith(
            "while the service runs, connect as its own system user: postgresql://hourledger@/hourledger?"
        )
        with use(Path(data)):
            reader = await asyncpg.connect(output.splitlines()[1].partition("own system user: ")[2])
            assert await reader.fetch("select * from bi.daily") == []
            assert await reader.fetchval("select current_user") == "hourledger_bi"
            assert [await reader.fetchval("select current_setting($1)", name) for name in LIMITS] == [
                "hourledger_bi",
                "1min",
                "on",
            ]
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.fetch("select from events")
            await reader.close()
