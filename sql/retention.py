"""How long events, rollups and rows are kept, and how far the horizon has moved (R13).

The database records the retention in force, so that no process shortens it by accident. It also records the time that
passed, so that no wrong clock moves the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sql.clocks import Reading
from sql.database import Database, Row

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Clocks are never quite equal, and a gap of up to a day over a restart of the machine is usual.
APART = HOUR
AHEAD = DAY
# A statement about the whole log locks the table of each day and its indexes. Two such statements may run at a time.
LOCKS_OF_A_DAY = 7
STATEMENTS = 2


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days raw events are kept anywhere, rollups are kept, and raw events are kept as rows of the log.

    log_days is also how late an event may come.
    """

    event_days: int
    rollup_days: int
    log_days: int


async def record_retention(
    database: Database, asked: Retention, *, lengthen: bool = False, shorten: bool = False
) -> Retention:
    """Return the retention in force; record the asked one when there is none yet.

    lengthen, shorten: also record an asked one that is longer, or shorter.
    """
    query = database.statements.record_retention
    days = asked.event_days, asked.rollup_days, asked.log_days
    return Retention(*await database.only(query, *days, lengthen, shorten))


async def time_passed(database: Database, reading: Reading, *, force: bool = False) -> datetime:
    """Record a reading; return the time by which retention may go. force: accept the clocks as they are."""
    clocks = reading.boot, reading.seconds, reading.service, reading.database, force
    moment: datetime = (await database.only(database.statements.advance_clock, *clocks))["moment"]
    return moment


async def advance(database: Database, kept: Retention, reading: Reading, *, force: bool = False) -> datetime:
    """Move the horizons to where the retention puts them, by a day at most; return the time that passed.

    force: accept the clocks as they are, and move the horizons at once.
    """
    statements = database.statements
    moment = await time_passed(database, reading, force=force)
    for shard in await database.rows(statements.list_shards):
        await database.only(statements.advance_horizon, shard["shard"], kept.log_days, moment, force)
    return moment


async def lock_warnings(database: Database, kept: Retention) -> list[str]:
    """Return why the server cannot keep rows for so long, when each day has some; one sentence, or none."""
    row = await database.only(database.statements.read_lock_room)
    needed = STATEMENTS * LOCKS_OF_A_DAY * kept.log_days
    if needed <= row["room"]:
        return []
    why = (
        f"{kept.log_days} days of raw events need up to {needed:,} locks, and PostgreSQL has room for"
        f" {row['room']:,}: set its max_locks_per_transaction to {-(-needed // row['sessions'])},"
        " or HOURLEDGER_LOG_DAYS to fewer days"
    )
    return [why]


def clock_warnings(row: Row) -> list[str]:
    """Return what is wrong with the clocks and the horizon, one sentence each. row: of read_retention."""
    if row["known_at"] is None:
        return []  # no clock was read yet
    why = []
    if row["ahead"] > AHEAD:
        why.append(
            f"the clock is {_length(row['ahead'])} ahead of the time that is known to have passed, and retention waits:"
            " set the clock right, or run make retention FORCE=1 if it is right"
        )
    if row["behind"] > APART:
        why.append(
            f"the clock is {_length(row['behind'])} behind its last reading, and retention waits:"
            " set the clock right, or run make retention FORCE=1 if it is right"
        )
    if row["apart"] > APART:
        why.append(
            f"the clocks of PostgreSQL and of the projector are {_length(row['apart'])} apart:"
            " set them right; retention goes by the earlier one"
        )
    if row["early"] is not None and row["early"] >= DAY:
        why.append(
            f"the log takes no events before {row['horizon']:%Y-%m-%d}, {_length(row['early'])} later than the"
            " retention says, because a clock was ahead; this passes by itself"
        )
    return why


def _length(gap: timedelta) -> str:
    return f"{gap // DAY} days" if gap >= 2 * DAY else f"{gap // HOUR} hours"
