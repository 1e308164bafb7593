"""Kill processes under load, and sever their sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import count
from multiprocessing.context import ForkServerProcess

from sql.database import Database
from sql.embedded.share import ensure_running
from sql.errors import Unavailable
from tests.conftest import RunningService, running_service
from tests.faults.table.ground import Ground
from tests.faults.table.load import kill_workers, loaded, postmaster_of
from tests.faults.table.processes import append_all, ended, events_of, kill_projectors_while, project, start
from tests.support.severed_connection import severable
from tests.support.waiting import until

APPENDERS = 8
WORKERS = 2
ACKS_BETWEEN = 100


async def kill_projectors(ground: Ground) -> None:
    """Kill projectors one after another, while eight appenders append and another projector keeps running."""
    for first in count(0, APPENDERS):
        if ground.row.faults >= ground.trial.faults:
            return
        sent = {number: events_of(number, ground.trial.batch) for number in range(first, first + APPENDERS)}
        appenders = [start(append_all, ground.url, number, events) for number, events in sent.items()]
        with ended(start(project, ground.url), *appenders):
            ground.row.faults += await asyncio.to_thread(kill_projectors_while, ground.url, appenders)
        _check_ended(appenders)
        for events in sent.values():
            ground.ack(events)


async def kill_appenders(ground: Ground) -> None:
    """Kill an appender and a projector while events are appended; another appender sends all of them again."""
    for number in range(ground.trial.faults):
        events = events_of(number, ground.trial.batch)
        before = await _stored(ground)
        appender = start(append_all, ground.url, number, events)
        with ended(start(project, ground.url), appender):
            await until(partial(_has_grown, ground, before, appender), "the appender appends")
        ground.row.faults += 1
        again = start(append_all, ground.url, number, events)
        await asyncio.to_thread(again.join)
        _check_ended([again])
        ground.ack(events)


async def kill_postgres(ground: Ground) -> None:
    """Kill PostgreSQL over and over while an appender and a projector work; this needs a durable server."""
    for number in range(ground.trial.faults):
        events = events_of(number, ground.trial.batch)
        before = await _stored(ground)
        appender = start(append_all, ground.url, number, events)
        with ended(start(project, ground.url), appender):
            await until(partial(_has_grown, ground, before, appender), "the appender appends")
            await asyncio.to_thread(_kill_postgres, ground)
            ground.row.faults += 1
            await asyncio.to_thread(appender.join)
            _check_ended([appender])
        ground.ack(events)


def _kill_postgres(ground: Ground) -> None:
    postmaster = postmaster_of(ground.server.postgres.data_dir)
    postmaster.kill()
    postmaster.wait(60)
    ensure_running(ground.server)


async def _stored(ground: Ground) -> int:
    """Return the sum of the shards' heads, or 0 while PostgreSQL is away."""
    database = Database(ground.url, connections=1)
    try:
        rows = await database.rows(database.statements.list_checkpoints, "hourly")
    except Unavailable:
        return 0
    finally:
        await database.close()
    return sum(row["head"] for row in rows)


async def _has_grown(ground: Ground, before: int, appender: ForkServerProcess) -> bool:
    return not appender.is_alive() or await _stored(ground) > before


def _check_ended(appenders: list[ForkServerProcess]) -> None:
    if codes := {appender.exitcode for appender in appenders} - {0}:
        raise AssertionError(f"an appender ended with {codes}")


async def kill_http_workers(ground: Ground) -> None:
    """Kill all HTTP workers of a service under load."""
    await asyncio.to_thread(try_under_load, ground, ground.url, kill_workers)


async def sever_service(ground: Ground) -> None:
    """Sever all sockets between PostgreSQL and a service under load, including its projector."""
    loop = asyncio.get_running_loop()
    async with severable(ground.url, ground.folder) as way:

        def sever(_: RunningService) -> None:
            loop.call_soon_threadsafe(way.sever)

        await asyncio.to_thread(try_under_load, ground, way.url, sever)


def try_under_load(ground: Ground, url: str, try_fault: Callable[[RunningService], None], **environment: str) -> None:
    """Try faults of a service beside a load. All senders must go on, and none may be refused."""
    settings = {"HOURLEDGER_WORKERS": str(WORKERS), "HOURLEDGER_SHARDS": str(ground.trial.shards), **environment}
    with running_service(ground.folder, url, port=None, **settings) as running:
        with loaded(running.url) as load:
            for _ in range(ground.trial.faults):
                load.wait_for(ACKS_BETWEEN)
                try_fault(running)
                ground.row.faults += 1
            load.wait_for(ACKS_BETWEEN)
        if load.refused:
            raise AssertionError(f"events were refused: {load.refused[:3]}")
        ground.ack(list(load.acked.values()))
