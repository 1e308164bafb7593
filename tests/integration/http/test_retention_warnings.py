"""Readiness names a clock that jumped, settings that are not in force, and a horizon that is early."""

from __future__ import annotations

import json
from datetime import timedelta

import asyncpg

from service.http.health import readiness
from service.http.metrics import Metrics
from service.settings import load
from sql.clocks import Reading
from sql.database import Database
from sql.retention import Retention, advance, record_retention
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.sharded import appending

DAY = timedelta(days=1)
KEPT = Retention(30, 90, 30)
JUMPED = (
    "the clock is 40 days ahead of the time that is known to have passed, and retention waits:"
    " set the clock right, or run make retention FORCE=1 if it is right"
)
BEHIND = (
    "the clock is 39 days behind its last reading, and retention waits:"
    " set the clock right, or run make retention FORCE=1 if it is right"
)
APART = (
    "the clocks of PostgreSQL and of the projector are 40 days apart: set them right; retention goes by the earlier one"
)


async def told(url: str, database: Database, **environ: str) -> list[str]:
    async with appending(url) as appender:
        answer = await readiness(database, appender, load(environ))
    assert answer.status == 200
    reasons: list[str] = json.loads(answer.body).get("degraded", [])
    return reasons


def reading(seconds: float, *, here: timedelta = timedelta(0), there: timedelta = timedelta(0)) -> Reading:
    """Return a reading some seconds after NOW, of clocks that are ahead."""
    now = NOW + timedelta(seconds=seconds)
    return Reading("boot", seconds, now + here, now + there)


async def test_a_clock_that_jumped_is_told_until_it_is_right_or_confirmed(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0)], clock=NOW)
    assert await told(database_url, database) == []
    await record_retention(database, KEPT)
    await advance(database, KEPT, reading(0))
    assert await told(database_url, database) == []

    await advance(database, KEPT, reading(60, here=40 * DAY, there=40 * DAY))
    assert await told(database_url, database) == [JUMPED]
    async with appending(database_url) as appender:
        text = (await Metrics().text(database, appender.admission)).decode()
    assert "hourledger_clock_ahead_seconds 3.456" in text
    assert "hourledger_detached_days 0.0" in text

    await advance(database, KEPT, reading(120, there=40 * DAY))
    assert await told(database_url, database) == [APART]
    await advance(database, KEPT, reading(180))
    assert await told(database_url, database) == []
    # Somebody confirms a wrong clock, and sets it right afterwards.
    await advance(database, KEPT, reading(240, here=40 * DAY, there=40 * DAY), force=True)
    assert await told(database_url, database) == []
    await advance(database, KEPT, reading(300, here=HOUR, there=HOUR))
    assert await told(database_url, database) == [BEHIND]
    await advance(database, KEPT, reading(360), force=True)
    early = NOW.replace(hour=0, minute=0, second=0) + (40 - 30) * DAY
    why = f"the log takes no events before {early:%Y-%m-%d}, 40 days later than the retention says,"
    assert await told(database_url, database) == [f"{why} because a clock was ahead; this passes by itself"]


async def test_settings_that_are_not_in_force_are_told(database: Database, database_url: str) -> None:
    await record_retention(database, Retention(60, 90, 30))
    await advance(database, Retention(60, 90, 30), reading(0))
    assert await told(database_url, database) == [
        "HOURLEDGER_EVENT_RETENTION_DAYS is 30, but 60 days are in force: make retention SHORTEN=1 shortens them to 30"
    ]
    assert await told(database_url, database, HOURLEDGER_EVENT_RETENTION_DAYS="70") == [
        "HOURLEDGER_EVENT_RETENTION_DAYS is 70, but 60 days are in force: start the service with 70 to lengthen them"
    ]
    assert await told(database_url, database, HOURLEDGER_EVENT_RETENTION_DAYS="60") == []


async def test_a_day_that_an_import_of_history_left_open_is_told_after_an_hour(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await admin.execute("insert into opened_days values ('2026-01-31', 'open', 'a file', 'me', now())")
    assert await told(database_url, database) == []
    await admin.execute("update opened_days set opened_at = now() - interval '61 minutes'")
    assert await told(database_url, database) == [
        "open for history for more than an hour: 2026-01-31; the next make import with HISTORY=1 closes it"
    ]
