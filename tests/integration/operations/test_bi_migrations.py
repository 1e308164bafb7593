"""Migrations replace the views of the schema bi and keep those of its users."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from sql.migrate import SchemaRefused, migrate, rollback
from sql.statements import load
from tests.conftest import execute
from tests.support.bi import DEFINERS, NAMES

DEFINITION = "select pg_get_viewdef('bi.daily'::regclass)"
COMMENTS = "select col_description('bi.daily'::regclass, n) from generate_series(0, 7) as n"


async def test_a_view_of_a_users_own_is_never_lost(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    made = await admin.fetch("select oid from pg_class where relnamespace = 'bi'::regnamespace order by 1")
    await admin.execute("create view mine as select day from bi.daily")
    # A migrate that finds the right views makes none anew, so it does not wait for this reader.
    async with admin.transaction():
        await admin.fetch("select * from mine")
        assert await migrate(database_url) == []
    assert await admin.fetch("select oid from pg_class where relnamespace = 'bi'::regnamespace order by 1") == made
    for attempt in (rollback(database_url), rollback(database_url, force=True)):
        with pytest.raises(SchemaRefused, match=r"\(view mine depends on view bi\.daily\): drop those"):
            await attempt
    await admin.execute("drop view mine")
    while await rollback(database_url, force=True):
        assert await admin.fetch("select from pg_views where schemaname = 'bi'") == []
    await migrate(database_url)
    assert [
        name for (name,) in await admin.fetch("select viewname::text from pg_views where schemaname = 'bi' order by 1")
    ] == NAMES
    await admin.close()


async def test_views_with_other_words_are_replaced_beneath_a_users_view(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    definition = await admin.fetchval(DEFINITION)
    other = definition.replace("users + ", "users * 2 + ")
    await admin.execute(f"create or replace view bi.daily as {other}")
    await admin.execute(
        "create view mine as select day, visitors from bi.daily;"
        "comment on column bi.daily.visitors is 'of another release'"
    )
    await admin.fetchval(load().sign_views, "0" * 64)
    assert await migrate(database_url) == []
    assert await admin.fetch("select day, visitors from mine") == []
    assert await admin.fetchval(DEFINITION) == definition != other
    assert "of another release" not in [comment for (comment,) in await admin.fetch(COMMENTS)]
    assert "0" * 64 not in await admin.fetchval("select obj_description('bi'::regnamespace)")
    await admin.close()


async def test_views_with_other_columns_are_refused_beneath_a_users_view(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    await admin.execute("drop view bi.daily; create view bi.daily as select 1 as fewer")
    await admin.execute("create view mine as select fewer from bi.daily")
    await admin.fetchval(load().sign_views, "0" * 64)
    with pytest.raises(SchemaRefused, match=r"\(view mine depends on view bi\.daily\): drop those"):
        await migrate(database_url)
    assert await admin.fetchval("select fewer from mine") == 1
    await admin.execute("drop view mine")
    await migrate(database_url)
    assert await admin.fetch("select visitors from bi.daily") == []
    await admin.close()


async def test_views_of_another_release_are_made_anew(database_url: str) -> None:
    await execute(
        database_url,
        "drop view bi.daily",
        "create view bi.daily as select 1 as fewer",
        "comment on schema bi is 'sha256:0'",
    )
    await migrate(database_url)
    admin = await asyncpg.connect(database_url)
    assert await admin.fetch("select visitors from bi.daily") == []
    await admin.close()


async def test_views_on_functions_of_another_release_are_no_hindrance(database_url: str) -> None:
    await rollback(database_url)
    await execute(
        database_url,
        "drop schema bi",
        "create schema bi",
        "create function bi_tail(version integer) returns integer language sql as 'select version'",
        "create view bi.daily as select bi_tail(1) as tail",
    )
    await migrate(database_url)
    admin = await asyncpg.connect(database_url)
    assert [name for (name,) in await admin.fetch(DEFINERS)] == ["bi_proofs", "bi_tail"]
    assert await admin.fetchval("select count(*) from pg_proc where proname = 'bi_tail'") == 1
    assert await admin.fetch("select visitors from bi.daily") == []
    await admin.close()


async def test_an_owner_of_nothing_but_the_schema_public_does_without_the_views(empty_database_url: str) -> None:
    owner = f"owner_{uuid4().hex}"
    await execute(empty_database_url, f"create role {owner} login", f"grant usage, create on schema public to {owner}")
    separator = "&" if "?" in empty_database_url else "?"
    url = f"{empty_database_url}{separator}role={owner}"
    await migrate(url)
    admin = await asyncpg.connect(empty_database_url)
    assert await admin.fetchval("select to_regnamespace('bi')") is None
    await admin.execute(f"create schema bi authorization {owner}")
    await migrate(url)
    assert await admin.fetch("select * from bi.daily") == []
    await admin.execute(f"set role {owner}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.fetchval(load().make_bi_role, "somebody", "secret")
    await admin.execute("reset role")
    await admin.execute(f"drop owned by {owner} cascade; drop role {owner}")
    await admin.close()
