"""A reader of the schema bi may read its views and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from sql.migrate import migrate
from sql.statements import load
from tests.conftest import RETENTION_DAYS, Servers
from tests.support.bi import DEFINERS, LATE, NAMES, OLD, hours_of, reading
from tests.support.log import an_event
from tests.support.servers import connected
from tests.support.sharded import Sharded

UNCOMMENTED = """
select c.relname || coalesce('.' || a.attname, '')
from pg_class as c
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'bi'::regnamespace
    and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
"""
# Functions that not every role may execute.
FOR_SOME = """
select p.proname::text from pg_proc as p
where p.pronamespace = 'public'::regnamespace and not has_function_privilege('public', p.oid, 'execute')
order by 1
"""
# Calls of every writing function; a reader must not succeed with any.
WRITERS = (
    "select from fold_hourly(0, 1, 100)",
    "select from detach_day(current_date, now(), null, null)",
    "select from attach_day(current_date, now())",
    "select from drop_detached(current_date, now(), null)",
    "select from retire_rollups(0, 'infinity')",
    "select from rebuild_hourly(0, 1, now())",
    "select from compact_receipts(0)",
    "select from advance_horizon(0, 1, now(), true)",
    "select from advance_clock('', 0, null, null, true)",
    "select from record_retention(1, 1, 1, true, true)",
    "select from make_day(current_date + 100)",
    "select from make_bi_role('mine', 'secret')",
)
REFUSED = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.WrongObjectTypeError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
MAY = """
select c.oid::regclass::text
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and has_table_privilege(c.oid, 'select, insert, update, delete, truncate, references, trigger')
"""


async def test_who_may_read_the_views_may_do_nothing_else(aged: Sharded) -> None:
    async with reading(aged.url) as reader:
        assert await reader.fetch(MAY) == []
        granted = await aged.admin.fetchval("select count(*) from pg_class where relnamespace = 'bi'::regnamespace")
        assert granted == len(NAMES)
        refused = [
            "select from public.events",
            "insert into bi.events (event_id) values ('x')",
            "delete from bi.users",
            *(f"truncate bi.{view}" for view in NAMES),
            *WRITERS,
            "create table bi.mine (a integer)",
            "create table public.mine (a integer)",
            "create temporary table mine (a integer)",
        ]
        for statement in refused:
            with pytest.raises(REFUSED):
                await reader.execute(statement)
        event = [list(column) for column in zip(an_event(9_999), strict=True)]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(aged.database.statements.append_events, 0, RETENTION_DAYS, None, *event, None)
        # The functions do not mistake a session's temporary table for the log, because their search path puts it last.
        login = await reader.fetchval("select current_user")
        await reader.execute(
            "set role hourledger;"
            "create temporary table log_heads as select 7 as shard, 'infinity'::timestamptz as horizon;"
            f'set role "{login}"'
        )
        assert await reader.fetchval("select count(*) from bi.hourly_rollups") == len(hours_of(OLD + LATE))


async def test_only_two_functions_have_the_rights_of_their_owner(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    for query in (DEFINERS, FOR_SOME):
        assert [name for (name,) in await admin.fetch(query)] == ["bi_proofs", "bi_tail"]
    assert await admin.fetch(UNCOMMENTED) == []
    await admin.close()


async def test_a_login_has_limits_and_a_new_password_and_takes_no_other_role(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    login = f"reader {uuid4().hex}"
    for password in ("first", "second"):
        assert await admin.fetchval(load().make_bi_role, login, password)
    ((settings,),) = await admin.fetch(
        "select setconfig from pg_db_role_setting where setrole = (select oid from pg_roles where rolname = $1)", login
    )
    assert {"statement_timeout=60s", "default_transaction_read_only=on"} < set(settings)
    assert not await admin.fetchval(load().make_bi_role, "hourledger", "taken")
    assert not await admin.fetchval(load().make_bi_role, "hourledger_bi", "taken")
    await admin.execute(f'drop role "{login}"')
    await admin.close()


async def test_migrate_limits_a_login_of_an_older_release(database_url: str) -> None:
    login = f"reader {uuid4().hex}"
    async with connected(database_url) as admin:
        await admin.fetchval(load().make_bi_role, login, "secret")
        here = urlsplit(database_url).path[1:]
        await admin.execute(f'alter role "{login}" connection limit -1; grant temporary on database {here} to public')
        await migrate(database_url)
        assert await admin.fetchval("select rolconnlimit from pg_roles where rolname = $1", login) == 10
        assert not await admin.fetchval("select has_database_privilege($1, current_database(), 'temporary')", login)
        await admin.execute(f'drop role "{login}"')


async def test_an_owner_without_superuser_rights_may_end_the_sessions_of_its_readers(
    servers: Servers, postgres_version: int
) -> None:
    owner, login = f"owner_{uuid4().hex}", f"reader_{uuid4().hex}"
    administrator = await servers.administrator(postgres_version)
    await administrator.execute(f"create role {owner} createrole")
    async with servers.new_database(postgres_version, shards=None) as url:
        await administrator.execute(f"alter database {urlsplit(url).path[1:]} owner to {owner}")
        as_owner = f"{url}&role={owner}"
        await migrate(as_owner)
        async with connected(url) as admin, connected(as_owner) as owning:
            await admin.fetchval(load().make_bi_role, None, "")
            await admin.execute(f"grant hourledger_bi to {owner} with admin option")
            assert await owning.fetchval(load().make_bi_role, login, "secret")
            assert await owning.fetchval("select pg_has_role($1, 'usage')", login)
            assert not await owning.fetchval(load().make_bi_role, owner, "taken")
            await migrate(as_owner)
            found = await owning.fetch("select login from bi_logins() where login in ($1, $2)", owner, login)
            assert [row["login"] for row in found] == [login]
    await administrator.execute(f"drop role {login}")
    await administrator.execute(f"drop owned by {owner}")
    await administrator.execute(f"drop role {owner}")
