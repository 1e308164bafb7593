"""No clock alone retires a day: the horizon moves by the time that passed, and more waits for a confirmation."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from projections.retention import RetiredDay, retain
from sql.clocks import Reading
from sql.database import Database
from sql.retention import Retention, advance, time_passed
from tests.conftest import RETENTION_DAYS
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.retired_days import DAY, EVENTS, LONG, day, past, reading_at, totals, whole
from tests.support.sharded import Sharded

KEPT = Retention(RETENTION_DAYS, LONG, RETENTION_DAYS)
JUMP = 40 * DAY
# The newest event of the log was received at the start of this day, and no day is due then.
START = 10


def jumped(clock: datetime, *, service: timedelta = JUMP, database: timedelta = JUMP) -> Reading:
    """Return a reading of clocks that are ahead of the time that passed."""
    return Reading(reading_at(clock).boot, clock.timestamp(), clock + service, clock + database)


async def passed(log: Sharded, reading: Reading, *, force: bool = False) -> list[RetiredDay]:
    return [retired async for retired in retain(log.database, KEPT, reading=reading, force=force)]


async def horizon(database: Database) -> datetime:
    (row,) = await database.rows(database.statements.list_shards)
    found: datetime = row["horizon"]
    return found


async def test_a_clock_that_jumps_ahead_retires_nothing_and_the_right_time_is_accepted_again(log: Sharded) -> None:
    """The log has days 0 to 9, of which none is due on day 10 minus a week."""
    assert await passed(log, reading_at(day(START))) == whole(0, 1, 2, events=EVENTS)
    before = await horizon(log.database)
    for minute in range(1, 60):
        reading = jumped(day(START) + minute * HOUR / 60)
        assert await passed(log, reading) == []
    assert await horizon(log.database) == before == day(START - RETENTION_DAYS)
    assert (await totals(log.database))[1] == len(EVENTS) - 48
    # Appends go on while the clock is wrong, and their days are there.
    assert await append(log.database, [an_event(900, at=day(9) + HOUR)], clock=day(START) + JUMP) == {}
    told = await log.database.only(log.database.statements.read_retention)
    assert told["ahead"] == JUMP
    assert await passed(log, reading_at(day(START) + 2 * HOUR)) == []
    told = await log.database.only(log.database.statements.read_retention)
    assert (told["ahead"], told["early"]) == (timedelta(0), timedelta(0))
    assert await append(log.database, [an_event(901, at=day(9) + HOUR)], clock=day(START) + 3 * HOUR) == {}


@pytest.mark.parametrize(
    ("ahead_here", "ahead_there"),
    [(timedelta(0), 20 * HOUR), (20 * HOUR, timedelta(0))],
    ids=["the database's", "the service's"],
)
async def test_one_clock_that_is_ahead_moves_nothing(
    log: Sharded, ahead_here: timedelta, ahead_there: timedelta
) -> None:
    await passed(log, reading_at(day(START)))
    another = Reading("a machine that has just started", 5.0, day(START) + ahead_here, day(START) + ahead_there)
    assert await time_passed(log.database, another) == day(START)
    assert (await log.database.only(log.database.statements.read_retention))["apart"] == 20 * HOUR


async def test_time_that_passed_moves_the_horizon_by_a_day_a_pass(log: Sharded) -> None:
    await passed(log, reading_at(day(START - 3)))
    assert await horizon(log.database) == day(0)
    for number in range(3):
        assert await passed(log, reading_at(day(START) + HOUR)) == whole(number, events=EVENTS)
        assert await horizon(log.database) == day(number + 1)
    assert await passed(log, reading_at(day(START) + HOUR)) == []


@pytest.mark.parametrize(("gap", "believed"), [(20 * HOUR, True), (24 * HOUR, True), (25 * HOUR, False), (JUMP, False)])
async def test_over_a_restart_of_the_machine_a_day_is_believed_and_no_more(
    log: Sharded, gap: timedelta, believed: bool
) -> None:
    await time_passed(log.database, reading_at(day(START)))
    later = Reading("another start", 3.0, day(START) + gap, day(START) + gap)
    assert await time_passed(log.database, later) == (day(START) + gap if believed else day(START))
    # From then on, the seconds of this start count.
    hour = Reading("another start", 3603.0, day(START) + gap + HOUR, day(START) + gap + HOUR)
    assert await time_passed(log.database, hour) == (day(START) + gap if believed else day(START)) + HOUR


async def test_a_clock_that_goes_back_and_comes_right_needs_nobody(log: Sharded) -> None:
    """Machines without a clock of their own begin in 1970, until they have asked the network."""
    await time_passed(log.database, reading_at(day(START)))
    start = datetime(1970, 1, 1, tzinfo=day(0).tzinfo)
    for seconds in (1.0, 30.0):
        behind = Reading("another start", seconds, start, start)
        assert await time_passed(log.database, behind) == start
    told = await log.database.only(log.database.statements.read_retention)
    assert told["behind"] == day(START) - start
    right = Reading("another start", 60.0, day(START) + 10 * HOUR, day(START) + 10 * HOUR)
    assert await time_passed(log.database, right) == day(START) + 10 * HOUR


async def test_a_confirmed_clock_counts_and_every_grace_begins_anew(log: Sharded) -> None:
    assert await passed(log, reading_at(day(START))) == whole(0, 1, 2, events=EVENTS)
    later = jumped(day(START) + HOUR, service=5 * DAY, database=5 * DAY)
    assert await passed(log, later) == []
    assert await passed(log, later, force=True) == whole(3, 4, 5, 6, 7, events=EVENTS)[:2]
    assert await horizon(log.database) == day(START + 5 - RETENTION_DAYS)
    detached = await log.database.rows(log.database.statements.list_detached_days)
    assert {row["until"] for row in detached} == {day(START + 7) + HOUR}
    assert len(detached) == 5


async def test_a_log_from_before_there_were_readings_begins_at_its_newest_event(log: Sharded) -> None:
    assert await time_passed(log.database, reading_at(day(START) + JUMP)) == day(START)


async def test_a_horizon_that_a_clock_moved_ahead_is_told_and_one_of_a_longer_retention_is_not(log: Sharded) -> None:
    async def early() -> timedelta:
        found: timedelta = (await log.database.only(log.database.statements.read_retention))["early"]
        return found

    await passed(log, reading_at(day(START)))
    assert await early() == timedelta(0)
    await log.admin.execute("update retention_in_force set event_days = 60, rollup_days = 60, log_days = 60")
    await advance(log.database, Retention(60, 60, 60), reading_at(day(START) + HOUR))
    assert await early() == timedelta(0)
    await passed(log, jumped(day(START) + HOUR), force=True)
    await passed(log, reading_at(day(START) + 2 * HOUR))
    told = await log.database.only(log.database.statements.read_retention)
    assert told["behind"] == JUMP - HOUR
    await time_passed(log.database, reading_at(day(START) + 2 * HOUR), force=True)
    assert await early() == JUMP


async def test_a_new_log_takes_the_clock_as_it_is_until_it_has_an_event(database: Database) -> None:
    for clock in (past(0) + JUMP, past(0)):
        await advance(database, KEPT, reading_at(clock))
        assert await horizon(database) == day(1) + (clock - past(0))
