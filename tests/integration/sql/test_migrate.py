"""Migrations: up from nothing, down to nothing, several at once, and the refusals."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import structlog

from sql.migrate import FUNCTIONS, MIGRATIONS, SchemaRefused, check_schema, list_migrations, migrate, rollback
from tests.conftest import execute
from tests.support.schema import fetch, schema, version

NEWEST = len(list_migrations())
UNCOMMENTED = """
select c.relname || coalesce('.' || a.attname, '')
from pg_class as c
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
"""
OLD_HOUR_OF = """
create function hour_of(moment timestamptz, zone text) returns timestamptz language sql as 'select moment'
"""
OLD_DETACH_DAY = "create function detach_day(day date) returns boolean language sql as 'select true'"
SELECT_ONE = "returns integer language sql as 'select 1'"
NEWER = "insert into schema_migrations select max(version) + 1, 'of the future' from schema_migrations"


async def test_up_from_nothing_and_again(empty_database_url: str) -> None:
    with pytest.raises(SchemaRefused, match="schema version 0, older than this code: run make migrate"):
        await check_schema(empty_database_url)
    assert await migrate(empty_database_url) == list_migrations()
    await check_schema(empty_database_url)
    made = await schema(empty_database_url)
    assert await migrate(empty_database_url) == []
    assert await schema(empty_database_url) == made


async def test_every_table_and_column_is_commented(database_url: str) -> None:
    assert await fetch(database_url, UNCOMMENTED) == []


async def test_down_to_nothing_and_up_again(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    made = await schema(empty_database_url)
    steps = []
    while (step := await rollback(empty_database_url, force=True)) is not None:
        steps.append(step)
        with pytest.raises(SchemaRefused, match=f"version {step.version - 1}, older"):
            await check_schema(empty_database_url)
    assert steps == list_migrations()[::-1]
    left = {str(name) for name, *_ in await schema(empty_database_url)}
    assert left == {"schema_migrations", "schema_migrations_pkey"}
    await migrate(empty_database_url)
    assert await schema(empty_database_url) == made


async def test_many_at_once_on_an_empty_database(empty_database_url: str) -> None:
    taken = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    assert sorted((step for steps in taken for step in steps), key=lambda step: step.version) == list_migrations()
    assert await fetch(empty_database_url, "select shard from log_heads") == [(0,)]
    assert await fetch(empty_database_url, "select shard, position from checkpoints") == [(0, 0)]


async def test_functions_of_an_older_release_do_not_stay_beside_the_new_ones(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    before = await schema(empty_database_url)
    await rollback(empty_database_url)
    await execute(
        empty_database_url,
        OLD_HOUR_OF,
        "create function detach_day(day date, clock timestamptz) returns boolean language sql as 'select true'",
    )
    await migrate(empty_database_url)
    assert await schema(empty_database_url) == before


async def test_an_upgrade_without_migrations_also_drops_functions_of_an_older_release(database_url: str) -> None:
    before = await schema(database_url)
    await execute(database_url, OLD_HOUR_OF, OLD_DETACH_DAY)
    assert await migrate(database_url) == []
    assert await schema(database_url) == before


@pytest.mark.parametrize("migrates", [False, True], ids=["functions alone", "with a migration"])
async def test_an_upgrade_drops_the_functions_that_this_release_has_not(database_url: str, *, migrates: bool) -> None:
    former = {str(name) for (name,) in await fetch(database_url, "select unnest(former_functions())")}
    assert "read_funnel" in former
    assert former & {file.stem for file in FUNCTIONS.rglob("*.sql")} == set()
    before = await schema(database_url)
    if migrates:
        await rollback(database_url)
    await execute(database_url, *(f"create function {name}(a integer) {SELECT_ONE}" for name in former))
    await execute(database_url, f"create function mine() {SELECT_ONE}")
    assert len(await migrate(database_url)) == migrates
    assert await fetch(database_url, "select mine()") == [(1,)]
    await execute(database_url, "drop function mine()")
    assert await schema(database_url) == before


async def test_a_function_of_an_older_release_stays_while_a_user_needs_it(database_url: str) -> None:
    before = await schema(database_url)
    view = "create view mine as select hour_of('2026-01-01 10:00Z', 'UTC') as hour"
    await execute(database_url, OLD_HOUR_OF, OLD_DETACH_DAY, view)
    with structlog.testing.capture_logs() as logs:
        assert await migrate(database_url) == []
    function = "hour_of(timestamp with time zone,text)"
    assert [(entry["function"], entry["needed_by"]) for entry in logs] == [
        (function, f"view mine depends on function {function}")
    ]
    assert await fetch(database_url, "select hour from mine") == [(datetime(2026, 1, 1, 10, tzinfo=UTC),)]
    await execute(database_url, "drop view mine")
    await migrate(database_url)
    assert await schema(database_url) == before


async def test_a_function_of_another_role_stays(empty_database_url: str) -> None:
    owner = f"owner_{uuid4().hex}"
    await execute(empty_database_url, f"create role {owner}", f"grant usage, create on schema public to {owner}")
    url = f"{empty_database_url}{'&' if '?' in empty_database_url else '?'}role={owner}"
    await migrate(url)
    await execute(empty_database_url, OLD_HOUR_OF, "create procedure detach_day() language sql as ''")
    before = await schema(empty_database_url)
    await migrate(url)
    assert await schema(empty_database_url) == before
    await execute(empty_database_url, f"drop owned by {owner} cascade", f"drop role {owner}")


async def test_a_database_newer_than_the_code_is_refused(database_url: str) -> None:
    await execute(database_url, NEWER)
    said = rf"schema version {NEWEST + 1}, newer than this code \({NEWEST}\)"
    before = await schema(database_url)
    for attempt in (migrate(database_url), check_schema(database_url), rollback(database_url, force=True)):
        with pytest.raises(SchemaRefused, match=said):
            await attempt
    assert await schema(database_url) == before


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_of_another_encoding_is_refused(empty_database_url: str, encoding: str) -> None:
    other = f"{encoding.lower()}_{uuid4().hex}"
    options = f"encoding '{encoding}' locale 'C' locale_provider libc template template0"
    await execute(empty_database_url, f"create database {other} {options}")
    url = urlunsplit(urlsplit(empty_database_url)._replace(path=f"/{other}"))
    try:
        with pytest.raises(SchemaRefused, match=f"must be UTF8, not {encoding}"):
            await migrate(url)
    finally:
        await execute(empty_database_url, f"drop database {other} with (force)")


async def test_the_number_of_shards_is_fixed_when_the_database_is_created(empty_database_url: str) -> None:
    await migrate(empty_database_url, shards=3)
    assert await fetch(empty_database_url, "select shard from log_heads order by 1") == [(0,), (1,), (2,)]
    checkpoints = "select shard, projection, version, position from checkpoints order by 1"
    assert await fetch(empty_database_url, checkpoints) == [(shard, "hourly", 1, 0) for shard in range(3)]
    await migrate(empty_database_url)
    await migrate(empty_database_url, shards=3)
    with pytest.raises(SchemaRefused, match="HOURLEDGER_SHARDS is 4, but this database was created with 3"):
        await migrate(empty_database_url, shards=4)
    assert len(await fetch(empty_database_url, checkpoints)) == 3


async def test_a_failing_step_leaves_the_schema_as_it_was(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(empty_database_url)
    before = await schema(empty_database_url)
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations)
    (migrations / f"{NEWEST + 1:04}_wrong.up.sql").write_text("create table half (a integer); select 1 / 0;")
    (migrations / f"{NEWEST + 1:04}_wrong.down.sql").write_text("drop table half;")
    monkeypatch.setattr("sql.migrate.list_migrations", lambda: list_migrations(migrations))
    with pytest.raises(Exception, match="division by zero"):
        await migrate(empty_database_url)
    assert await schema(empty_database_url) == before
    assert await version(empty_database_url) == NEWEST


@pytest.mark.parametrize(
    "names",
    [
        ["0001_a.up.sql", "0001_a.down.sql", "0003_c.up.sql", "0003_c.down.sql"],
        ["0002_b.up.sql", "0002_b.down.sql"],
        ["0001_a.up.sql", "0001_a.down.sql", "0001_b.up.sql", "0001_b.down.sql"],
        ["0001_a.up.sql"],
        ["0001_a.up.sql", "0001_a.down.sql", "0002_b.down.sql"],
        ["one_a.up.sql", "one_a.down.sql"],
    ],
)
def test_a_list_of_migrations_with_a_gap_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"numbered from 0001 without a gap|invalid literal"):
        list_migrations(tmp_path)
