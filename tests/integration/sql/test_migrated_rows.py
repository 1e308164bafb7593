"""Steps up and down keep the rows that they can, and refuse to lose the others."""

from __future__ import annotations

import re
from datetime import datetime

import asyncpg
import pytest

from projections import versions
from projections.verify import HourProof
from sql.database import Database
from sql.days import make_days
from sql.migrate import SchemaRefused, list_migrations, migrate, rollback
from sql.statements import load
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START, fold, folded, proofs, random_events
from tests.support.schema import COLUMNS, fetch, schema, version

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
