"""The database records the retention in force; a process with a shorter one, or a longer one, does not change it."""

from __future__ import annotations

import asyncpg
import pytest
from structlog.testing import capture_logs

from service.operations.supervisor import prepare
from service.settings import load
from sql.database import Database
from sql.retention import Retention, lock_warnings, record_retention
from tests.support.log import NOW, an_event, append
from tests.support.projections_command import run
from tests.support.retired_days import DAY, EVENTS, MADE, PARTITIONS, day, totals
from tests.support.sharded import Sharded

LONG = {"HOURLEDGER_EVENT_RETENTION_DAYS": "365", "HOURLEDGER_ROLLUP_RETENTION_DAYS": "400"}
SHORTER = (
    "HOURLEDGER_EVENT_RETENTION_DAYS is 30, but 365 days are in force: make retention SHORTEN=1 shortens them to 30"
)
AFTER_UPGRADE = (
    "HOURLEDGER_LOG_DAYS is 30, but 90 days are in force: make retention SHORTEN=1 shortens them to 30;"
    " HOURLEDGER_LOG_DAYS=90 leaves them as they are"
)
LONGER = "HOURLEDGER_EVENT_RETENTION_DAYS is 365, but 30 days are in force: start the service with 365 to lengthen them"


@pytest.mark.parametrize(
    ("asked", "lengthen", "shorten", "kept"),
    [
        (Retention(30, 90, 30), False, False, Retention(60, 120, 60)),
        (Retention(90, 150, 90), False, False, Retention(60, 120, 60)),
        (Retention(30, 90, 30), True, False, Retention(60, 120, 60)),
        (Retention(90, 150, 90), True, False, Retention(90, 150, 90)),
        (Retention(30, 90, 30), False, True, Retention(30, 90, 30)),
        (Retention(90, 150, 90), False, True, Retention(60, 120, 60)),
        (Retention(90, 100, 90), True, False, Retention(90, 120, 90)),
        (Retention(150, 150, 150), True, False, Retention(150, 150, 150)),
        # Rows alone.
        (Retention(60, 120, 20), False, False, Retention(60, 120, 60)),
        (Retention(60, 120, 20), True, False, Retention(60, 120, 60)),
        (Retention(60, 120, 20), False, True, Retention(60, 120, 20)),
        (Retention(90, 120, 20), True, False, Retention(90, 120, 60)),
        (Retention(90, 120, 80), True, False, Retention(90, 120, 80)),
        # Rows are not kept longer than events.
        (Retention(40, 120, 40), False, True, Retention(40, 120, 40)),
    ],
)
async def test_only_a_confirmed_retention_replaces_the_one_in_force(
    database: Database, asked: Retention, lengthen: bool, shorten: bool, kept: Retention
) -> None:
    assert await record_retention(database, Retention(60, 120, 60)) == Retention(60, 120, 60)
    assert await record_retention(database, asked, lengthen=lengthen, shorten=shorten) == kept
    assert await record_retention(database, Retention(60, 120, 60)) == kept


async def test_a_log_from_before_the_record_shows_how_long_it_was_kept(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0)])
    await admin.execute("update log_heads set horizon = date_trunc('day', $1::timestamptz, 'UTC')", NOW - 100 * DAY)
    await admin.execute("insert into hour_ledger values (0, $1, 1, 1, 1, 1)", NOW - 200 * DAY)
    assert await record_retention(database, Retention(30, 90, 30)) == Retention(100, 200, 100)


async def test_rows_of_a_log_from_before_the_record_were_kept_as_long_as_its_events(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0)])
    await admin.execute("update log_heads set horizon = date_trunc('day', $1::timestamptz, 'UTC')", NOW - 91 * DAY)
    assert await record_retention(database, Retention(90, 90, 30)) == Retention(90, 90, 90)


async def test_after_an_upgrade_rows_stay_until_it_is_decided(log: Sharded) -> None:
    await record_retention(log.database, Retention(90, 90, 90))
    environ = {"HOURLEDGER_EVENT_RETENTION_DAYS": "90"}
    with capture_logs() as logs:
        await prepare(log.url, load(environ), serves=True)
    assert [each["why"] for each in logs if "LOG_DAYS" in each.get("why", "")] == [AFTER_UPGRADE]
    left = await run(log.url, "retention", **environ)
    assert left.errors.splitlines()[0] == AFTER_UPGRADE
    decided = await run(log.url, "retention", HOURLEDGER_LOG_DAYS="90", **environ)
    assert "LOG_DAYS" not in decided.errors
    shorter = await run(log.url, "retention", "--shorten", **environ)
    assert "LOG_DAYS" not in shorter.errors
    assert await record_retention(log.database, Retention(1, 1, 1)) == Retention(90, 90, 30)
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)


async def test_a_log_from_before_the_record_with_the_usual_horizon_takes_the_settings(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0)])
    await admin.execute("update log_heads set horizon = date_trunc('day', $1::timestamptz, 'UTC')", NOW - 31 * DAY)
    assert await record_retention(database, Retention(30, 90, 30)) == Retention(30, 90, 30)


async def test_a_command_without_the_settings_retires_nothing_until_it_is_confirmed(log: Sharded) -> None:
    """By 365 days nothing is due; by the default of 30 days everything is."""
    await record_retention(log.database, Retention(365, 400, 365))
    accident = await run(log.url, "retention", "--force")
    assert (accident.code, accident.errors.splitlines()[0]) == (0, SHORTER)
    assert accident.output.startswith("retention: 0 days, 0 events retired")
    assert await totals(log.database) == (len(EVENTS), len(EVENTS), 0)
    confirmed = await run(log.url, "retention", "--force", "--shorten")
    assert "in force" not in confirmed.errors
    assert confirmed.output.splitlines()[-1].startswith(f"retention: {len(MADE)} days, {len(EVENTS)} events retired")
    lengthened = await run(log.url, "retention", **LONG)
    assert lengthened.errors.splitlines()[0] == LONGER
    assert await record_retention(log.database, Retention(30, 90, 30)) == Retention(30, 90, 30)


async def test_a_service_without_the_settings_keeps_what_is_in_force_and_one_with_longer_ones_lengthens_it(
    log: Sharded,
) -> None:
    for environ, serves, kept, told in (
        (LONG, True, 365, []),
        ({}, True, 365, [SHORTER]),
        ({}, False, 365, [SHORTER]),
        ({"HOURLEDGER_EVENT_RETENTION_DAYS": "366", "HOURLEDGER_ROLLUP_RETENTION_DAYS": "400"}, True, 366, []),
    ):
        with capture_logs() as logs:
            await prepare(log.url, load(environ), serves=serves)
        found = [entry["why"] for entry in logs if "EVENT_RETENTION" in entry.get("why", "")]
        assert found == told
        assert (await record_retention(log.database, Retention(1, 1, 1))).event_days == kept
    assert (await log.admin.fetch(PARTITIONS))[0][0] <= day(0).date()


async def test_another_command_than_the_service_does_not_lengthen_it_and_says_so(log: Sharded) -> None:
    await record_retention(log.database, Retention(30, 90, 30))
    with capture_logs() as logs:
        await prepare(log.url, load(LONG))
    assert LONGER in [entry.get("why") for entry in logs]
    assert await record_retention(log.database, Retention(1, 1, 1)) == Retention(30, 90, 30)


@pytest.mark.versions("every")
async def test_a_retention_that_needs_more_locks_than_the_server_has_is_told(database: Database) -> None:
    assert await lock_warnings(database, Retention(3_650, 3_650, 3_650)) == []
    (told,) = await lock_warnings(database, Retention(36_500, 36_500, 36_500))
    assert told.startswith("36500 days of raw events need up to 511,000 locks, and PostgreSQL has room for ")
    assert "max_locks_per_transaction to 1" in told
    assert "HOURLEDGER_LOG_DAYS" in told
