"""Processes that append and project; they start in milliseconds, so that tests can kill many."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from projections.archive import steps
from projections.follow import follow
from projections.hours import list_hours
from projections.rebuild import rebuild
from service.console import configure_logs
from service.ingest.event import Event
from sql.database import Database
from sql.errors import Unavailable
from sql.retention import Retention

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["projections.archive.keeper", "projections.projector", "service.ingest.decoding", "tests.faults.table.processes"]
)
RETENTION_DAYS = 30
KILL_SECONDS = 0.2


def events_of(appender: int, count: int) -> list[Event]:
    """Return the events of one appender: up to 2 h late, and every twentieth twice."""
    chance = random.Random(appender)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    events = [
        Event(
            f"evt_{appender}_{number}",
            f"session_{chance.randrange(2_000)}",
            None,
            chance.choice(["page_viewed", "tool_used", "risk_mode_changed"]),
            chance.choice(["Home", "Search", None]),
            None,
            '{"risk_mode": "high"}',
            True,
            start - timedelta(microseconds=chance.randrange(2 * 3600 * 10**6)),
        )
        for number in range(count)
    ]
    for _ in range(count // 20):
        events.insert(chance.randrange(len(events)), chance.choice(events))
    return events


def append_all(url: str, appender: int, events: list[Event]) -> None:
    """Append events in batches of odd sizes; repeat a batch whose outcome is unknown."""

    async def work() -> None:
        database = Database(url, connections=1)
        chance = random.Random(appender)
        waiting = list(events)
        while waiting:
            size = chance.randrange(50, 400)
            batch, waiting = waiting[:size], waiting[size:]
            columns = [list(column) for column in zip(*batch, strict=True)]
            await append(database, columns)
        await database.close()

    async def append(database: Database, columns: list[list[object]]) -> None:
        while True:
            try:
                await database.rows(database.statements.append_events, 0, RETENTION_DAYS, None, *columns, None)
            except Unavailable:
                continue
            return

    asyncio.run(work())


def project(url: str) -> None:
    """Run a projector until killed."""

    async def work() -> None:
        await follow(
            Database(url, connections=2), Retention(RETENTION_DAYS, RETENTION_DAYS, RETENTION_DAYS), 2, asyncio.Event()
        )

    asyncio.run(work())


def rebuild_again(url: str) -> None:
    """Rebuild all hours over and over until killed, each in a transaction of several statements."""

    async def work() -> None:
        database = Database(url, connections=2)
        while True:
            try:
                async for _ in rebuild(database, await list_hours(database, None, None)):
                    pass
            except Unavailable:
                continue

    asyncio.run(work())


def start(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Start a process that logs nothing about the faults that it meets."""
    process = CONTEXT.Process(target=_run_silently, args=(target, *arguments), daemon=True)
    process.start()
    return process


def _run_silently(target: Callable[..., None], *arguments: object) -> None:
    configure_logs("critical", as_json=False)
    target(*arguments)


def die_at(step: str | None, times: int) -> None:
    """Let this process be killed when a step of projections/archive/steps.py was reached so many times."""
    left = times

    def at(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if reached == step and not left:
            os.kill(os.getpid(), signal.SIGKILL)

    steps._at = at


def run_all(*processes: tuple[Callable[..., None], tuple[object, ...]]) -> int:
    """Run processes to their ends; return how many were killed. Each is a function and its arguments."""
    started = [start(target, *arguments) for target, arguments in processes]
    with ended(*started):
        for process in started:
            process.join()
    if wrong := [process.exitcode for process in started if process.exitcode not in (0, -signal.SIGKILL)]:
        raise AssertionError(f"a process failed: {wrong}")
    return sum(process.exitcode != 0 for process in started)


@contextmanager
def ended(*processes: ForkServerProcess) -> Iterator[None]:
    """Kill the processes at the end of the block."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def kill_projectors_while(url: str, appenders: list[ForkServerProcess]) -> int:
    """Start and kill one projector after another until all appenders have ended; return how many were killed."""
    kills = 0
    while any(appender.is_alive() for appender in appenders):
        with ended(start(project, url)):
            # This sleep waits for no event; it sets the pace of the kills.
            time.sleep(KILL_SECONDS)
        kills += 1
    return kills
