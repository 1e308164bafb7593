"""A plugin of pytest: runs only the tests of PostgreSQL 16, and records the statements and functions that it runs."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support import servers
from tests.support.servers import FAST, NEWEST, VERSIONS, Servers
from tests.version_cover.running import FOLDER, FUNCTION, RAN, STATEMENT

OLDER = min(VERSIONS)
CALLED = "select distinct funcname from pg_stat_user_functions where calls > 0"
# What the server's log says before the text of a statement.
PREFIXES = ("statement: ", "execute ")
# PostgreSQL counts functions by connection, and tells of them once the connection ends.
RECORDS = {
    "track_functions": "all",
    "log_statement": "all",
    "log_destination": "jsonlog",
    "log_parameter_max_length": "0",
    "log_rotation_age": "0",
}
new_database = Servers.new_database


def pytest_configure() -> None:
    FAST.update(RECORDS)
    servers.Servers.new_database = recorded  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the tests of the newest version, and those without a database."""
    items[:] = [item for item in items if item.path.exists() and _version(item) == OLDER]


def _version(item: pytest.Item) -> object:
    chosen = getattr(item, "callspec", None)
    return chosen.params.get("postgres_version", NEWEST) if chosen else NEWEST


@asynccontextmanager
async def recorded(self: Servers, version: int, **more: Any) -> AsyncIterator[str]:
    """Give a new database, and record the functions that ran in it."""
    async with new_database(self, version, **more) as url:
        yield url
        with suppress(asyncpg.PostgresError):  # a test may have shut it
            connection = await asyncpg.connect(url)
            try:
                _record(FUNCTION, {row["funcname"] for row in await connection.fetch(CALLED)})
            finally:
                await connection.close()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Record the statements of the server's log, before the server's folder is removed."""
    if hasattr(config, "workerinput"):
        return
    texts: set[str] = set()
    for file in Path(os.environ["HOURLEDGER_TEST_SERVERS"], str(OLDER), "log").glob("*.json"):
        with file.open(encoding="utf-8") as lines:
            texts |= {text for line in lines for text in _statement(line)}
    _record(STATEMENT, texts)


def _statement(line: str) -> list[str]:
    message = json.loads(line).get("message", "")
    return [message.partition(": ")[2]] if message.startswith(PREFIXES) else []


def _record(kind: str, texts: set[str]) -> None:
    with Path(os.environ[FOLDER], RAN).open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps([kind, text])}\n" for text in texts)
