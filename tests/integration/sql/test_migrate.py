"""Migrations: up from nothing, down to nothing, several at once, and the refusals."""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from projections import versions
from projections.verify import HourProof
from sql.database import Database
from sql.days import make_days
from sql.migrate import MIGRATIONS, SchemaRefused, check_schema, list_migrations, migrate, rollback
from sql.statements import load
from tests.conftest import RETENTION_DAYS, execute
from tests.support import oracle
from tests.support.log import append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold, folded, proofs, random_events

NEWEST = len(list_migrations())
OBJECTS = """
select p.oid::regprocedure::text from pg_proc as p where p.pronamespace = 'public'::regnamespace
union all
select t.oid::regtype::text from pg_type as t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'
union all
select c.oid::regclass::text from pg_class as c where c.relnamespace = 'public'::regnamespace
order by 1
"""
COLUMNS = """
select a.attrelid::regclass::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
from pg_attribute as a
join pg_class as c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
order by 1, 2
"""
UNCOMMENTED = """
select c.relname || coalesce('.' || a.attname, '')
from pg_class as c
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
"""
BEFORE_SEALS = 3
BY_QUARTER = 4
QUARTER_COUNTS = "select bucket, dimension, key, events from hourly_counts where version = {}"
# Rows made by hand: between quarters, or with a count of zero. One of them is alone in its hour.
BY_HAND = """
insert into hourly_counts values
    (0, 1, {start} + interval '22 minutes', 'tool_name', 'by hand', 2),
    (0, 1, {start} + interval '59 minutes', 'tool_name', 'by hand', -3),
    (0, 1, {start} + interval '50 hours', 'tool_name', 'by hand', 0)
"""
MADE_THEN = """
insert into log_heads (shard) values (0);
insert into projections (projection, live_version) values ('hourly', 1);
insert into checkpoints (shard, projection, version) values (0, 'hourly', 1);
"""
NEWER = "insert into schema_migrations select max(version) + 1, 'of the future' from schema_migrations"


async def fetch(url: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def schema(url: str) -> list[tuple[object, ...]]:
    return await fetch(url, OBJECTS) + await fetch(url, COLUMNS)


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


async def test_a_step_down_that_would_lose_rows_needs_force(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    database = Database(empty_database_url)
    await make_days(database, RETENTION_DAYS)
    await append(database, random_events(1, 50))
    await fold(database)
    await database.close()
    steps = list_migrations()
    # Steps that lose nothing need no force; the projection's step would lose rows.
    while await version(empty_database_url) > 2:
        await rollback(empty_database_url)
    before = await schema(empty_database_url)
    with pytest.raises(SchemaRefused, match="rolling back hourly would lose the rows of hourly_counts; FORCE=1"):
        await rollback(empty_database_url)
    assert await version(empty_database_url) == 2
    assert await schema(empty_database_url) == before
    assert await rollback(empty_database_url, force=True) == steps[1]
    with pytest.raises(SchemaRefused, match="rolling back log would lose the rows of events"):
        await rollback(empty_database_url)
    assert await fetch(empty_database_url, "select count(*) from events") == [(50,)]


async def version(url: str) -> int:
    ((number,),) = await fetch(url, "select max(version) from schema_migrations")
    return int(str(number))


async def test_a_projection_that_was_rolled_back_is_folded_anew_from_the_log(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = oracle.Log()
    # Each append has its own hours, so that only the ledger knows the hours of compacted receipts.
    events = sorted(random_events(5, 200), key=lambda event: event.timestamp)
    for batch in (events[:80], events[80:130], events[130:]):
        await append(database, batch)
        log.append(batch)
    await fold(database, limit=90)
    # After compaction no receipt names these hours.
    await database.only(database.statements.compact_receipts, 0)
    while await version(database_url) > 1:
        await rollback(database_url, force=True)
    await migrate(database_url)
    after, upto = await fold(database, limit=10) or (0, 0)
    assert after == 0 < upto
    await fold(database)
    assert await folded(admin) == oracle.rows(log.events)
    assert {proof.state for proof in await proofs(database)} == {"verified"}


async def test_functions_of_an_older_release_do_not_stay_beside_the_new_ones(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    before = await schema(empty_database_url)
    await rollback(empty_database_url)
    await execute(
        empty_database_url,
        "create function hour_of(moment timestamptz, zone text) returns timestamptz language sql as 'select moment'",
        "create function drop_day(day date, clock timestamptz) returns boolean language sql as 'select true'",
    )
    await migrate(empty_database_url)
    assert await schema(empty_database_url) == before


async def test_a_database_of_the_release_before_is_taken_forward_and_back(empty_database_url: str) -> None:
    """Released steps never change: later changes have their own step."""
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(load().create_schema_migrations)
    for step in list_migrations()[:BEFORE_SEALS]:
        await connection.execute(step.up.read_text(encoding="utf-8"))
        await connection.execute(load().record_migration, step.version, step.name)
    await connection.execute(MADE_THEN)
    await connection.close()
    then = await fetch(empty_database_url, COLUMNS)
    columns = {column for table, column, *_ in then if table == "checkpoints"}
    assert columns == {"shard", "projection", "version", "position"}
    assert await migrate(empty_database_url) == list_migrations()[BEFORE_SEALS:]

    database = Database(empty_database_url)
    await make_days(database, RETENTION_DAYS)
    await append(database, random_events(1, 50))
    await fold(database)
    assert {proof.state for proof in await proofs(database)} == {"verified"}
    assert await versions.begin(database) == 2
    assert await versions.begin(database) == 2
    await database.close()
    while await version(empty_database_url) > BEFORE_SEALS:
        await rollback(empty_database_url)
    assert await fetch(empty_database_url, "select shard, version from checkpoints") == [(0, 1)]
    partition = re.compile("events_[0-9]{8}")
    assert [row for row in await fetch(empty_database_url, COLUMNS) if not partition.fullmatch(str(row[0]))] == then


async def test_counts_by_quarter_are_converted_to_counts_by_hour_and_back(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    events = random_events(7, 300)
    for batch in (events[:200], events[200:]):
        await append(database, batch)
        await fold(database)
    assert await versions.begin(database) == 2
    async for _ in versions.fill(database, 2):
        pass
    before = await folded(admin)
    by_hour = await admin.fetch("table hourly_counts order by shard, version, hour, dimension, key")
    while await version(database_url) > BY_QUARTER:
        assert await rollback(database_url) is not None
    for each in (1, 2):
        by_quarter = {(*name,): n for *name, n in await admin.fetch(QUARTER_COUNTS.format(each))}
        assert by_quarter == before.counts
        assert len(by_quarter) == len(before.counts)
    await migrate(database_url)
    assert await admin.fetch("table hourly_counts order by shard, version, hour, dimension, key") == by_hour
    assert await folded(admin) == before
    assert {proof.state for proof in await proofs(database)} == {"verified"}


async def test_counts_that_somebody_changed_are_as_wrong_when_they_are_converted(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await append(database, random_events(7, 300, hours=3))
    await fold(database)
    while await version(database_url) > BY_QUARTER:
        await rollback(database_url)
    await admin.execute(BY_HAND.format(start=f"timestamptz '{START}'"))
    for _ in range(2):
        await migrate(database_url)
        assert sorted(wrong_counts(await proofs(database))) == [
            (START + QUARTER, "by hand", "2"),
            (START + 3 * QUARTER, "by hand", "-3"),
            (START + 50 * HOUR, "by hand", "0"),
        ]
        while await version(database_url) > BY_QUARTER:
            await rollback(database_url)


def wrong_counts(found: list[HourProof]) -> list[tuple[datetime, str | None, str]]:
    return [(each.bucket, each.key, each.stored) for proof in found for each in proof.differences]


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
