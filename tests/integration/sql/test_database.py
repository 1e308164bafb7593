"""The pool on a real server: its queries, its settings and its transactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import asyncpg
import pytest

from sql.database import SETTINGS, Database
from sql.errors import Unavailable
from sql.statements import load
from tests.support.log import NOW

SHOWN = {"TimeZone": "UTC", "jit": "off", "lock_timeout": "10s", "statement_timeout": "15s"}
SHOW = "select name, current_setting(name) as value from unnest($1::text[]) as name"


async def test_every_query_is_one_that_the_database_understands(admin: asyncpg.Connection) -> None:
    queries = asdict(load())
    for name in ("make_counts_from_files", "make_hours_from_files"):  # others use these temporary tables
        await admin.execute(queries[name])
    for name, query in queries.items():
        if "create table schema_migrations" not in query:
            statement = await admin.prepare(query)
            assert statement.get_query() == query, name


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


async def test_what_types_of_postgresql_are_is_asked_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later connection knows them already; types of a database it asks about."""
    query = "select $1::timestamptz[] as moments, $2::boolean[] as flags, $3::integer[] as numbers"
    given = [NOW], [True, None], [1, 2]
    first, later = Database(database_url), Database(database_url)
    assert tuple(await first.only(query, *given)) == given
    asked: list[set[int]] = []

    async def introspected(self: object, typeoids: Iterable[int], *more: object) -> object:
        asked.append(set(typeoids))
        return await told(self, typeoids, *more)

    told = asyncpg.Connection._introspect_types  # type: ignore[attr-defined]
    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", introspected)
    assert tuple(await later.only(query, *given)) == given
    assert asked == []
    kinds = await later.only("select enum_range(null::hourly_member) as kinds")
    assert kinds["kinds"] == ["session", "user", "identified"]
    assert len(asked) == 1
    await first.close()
    await later.close()
