"""A process whose clock jumps by an hour, there and back, while it appends, folds, tidies and verifies.

It proves that durable data follows PostgreSQL's clock, except ids, which a wrong clock must not make equal. PostgreSQL
accepts events that are just in time and refuses events just too far ahead, whatever the process's clock says.
`received_at` lies within the time that passed by PostgreSQL's clock. It does not prove that PostgreSQL survives a jump
of its own clock. The test replaces the clock where Python reads it (modules `time` and `datetime`), not in the kernel,
because events pass through no C library that reads the clock directly.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from multiprocessing.connection import Connection

import asyncpg

from projections.due_hours import verify_due
from projections.projector import step, tidy
from service.ingest.decoding import decode_event
from service.ingest.event import Event
from service.ingest.outcomes import STORED
from sql.database import Database
from tests.faults.table.ground import RETENTION_DAYS, Ground
from tests.faults.table.processes import CONTEXT, ended, start
from tests.support.sharded import appending

STEPS = (timedelta(hours=1), -timedelta(hours=1))
OURS = ("service", "projections", "sql")
AHEAD = timedelta(hours=24)
MARGIN = timedelta(minutes=30)
_TIME, _TIME_NS = time.time, time.time_ns


class Stepped(datetime):
    """A datetime class whose `now` shows the wrong clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Stepped:
        """Return the time by this process's clock."""
        return cls.fromtimestamp(time.time(), tz)


def step_clock(offset: timedelta) -> None:
    """Make this process's clock wrong by `offset`."""
    seconds = offset.total_seconds()
    time.time = lambda: _TIME() + seconds
    time.time_ns = lambda: _TIME_NS() + int(seconds) * 10**9
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OURS and hasattr(module, "datetime"):
            vars(module)["datetime"] = Stepped


def work_by_a_wrong_clock(url: str, steps: int, batch: int, answers: Connection) -> None:
    """Do all that a process does, with a step of the clock before each round; send back the acked events."""
    true_now = datetime.now(UTC)

    async def work() -> list[Event]:
        database = Database(url)
        acked: list[Event] = []
        async with appending(url) as appender:
            for number in range(steps):
                step_clock(STEPS[number % 2])
                events = _events(true_now, number, batch)
                outcomes = await appender.append(events)
                acked += [event for event, outcome in zip(events, outcomes, strict=True) if outcome == STORED]
                if outcomes != [STORED] * batch + ["future"]:
                    raise AssertionError(f"with a clock wrong by {STEPS[number % 2]}, outcomes: {set(outcomes)}")
                await step(database)
                await tidy(database, RETENTION_DAYS)
                await verify_due(database)
        await database.close()
        return acked

    answers.send(asyncio.run(work()))


def _events(now: datetime, number: int, count: int) -> list[Event]:
    """Return events with ids made by this process; the last but one is just in time, and the last is too far ahead."""
    moments = [now - number * timedelta(minutes=1) - place * timedelta(seconds=1) for place in range(count - 1)]
    sent = [
        {"event_type": "t", "session_id": f"session_{place % 50}", "timestamp": moment.isoformat()}
        for place, moment in enumerate([*moments, now + AHEAD - MARGIN, now + AHEAD + MARGIN])
    ]
    events = [decode_event(json.dumps(event).encode()) for event in sent]
    made = int(events[0].event_id[4:16], 16) / 1000  # the time in a UUIDv7
    if abs(made - _TIME()) < MARGIN.total_seconds():
        raise AssertionError("the id was made by the right time; the process's clock should be wrong")
    return events


async def step_clocks(ground: Ground) -> None:
    """Let a process with a wrong clock work alone, then compare `received_at` with PostgreSQL's clock."""
    connection = await asyncpg.connect(ground.url)
    try:
        began = await connection.fetchval("select clock_timestamp()")
        ground.ack(await asyncio.to_thread(_acked_by_a_wrong_clock, ground))
        ground.row.faults += ground.trial.faults
        beyond = "select count(*) from events where not received_at between $1 and clock_timestamp()"
        if wrong := await connection.fetchval(beyond, began):
            raise AssertionError(f"{wrong} events were received by the clock of a process")
    finally:
        await connection.close()


def _acked_by_a_wrong_clock(ground: Ground) -> Sequence[Event]:
    answer, to_send = CONTEXT.Pipe(duplex=False)
    with answer, ended(start(work_by_a_wrong_clock, ground.url, ground.trial.faults, ground.trial.batch, to_send)):
        to_send.close()
        acked: Sequence[Event] = answer.recv()
        return acked
