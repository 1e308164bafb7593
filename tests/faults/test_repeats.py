"""Several processes send the same events at once, one of them killed over and over: each event is stored once."""

from __future__ import annotations

import asyncio
import random
from multiprocessing.synchronize import Event as Flag

from service.ingest.event import Event
from service.ingest.outcomes import STORED, UNAVAILABLE
from tests.conftest import Servers
from tests.faults.table.processes import CONTEXT, ended, events_of, start
from tests.support.sharded import appending, sharded_log

SHARDS = 8
EVENTS = 3_000
KILLS = 5


def send_all(url: str, seed: int, events: list[Event], begun: Flag) -> None:
    """Send events in an order and batches that depend on `seed`; repeat each until it is stored or a duplicate."""

    async def work() -> None:
        chance = random.Random(seed)
        waiting = chance.sample(events, len(events))
        async with appending(url) as appender:
            while waiting:
                batch, waiting = waiting[: (size := chance.randrange(1, 400))], waiting[size:]
                sending = asyncio.create_task(appender.append(batch))
                await asyncio.sleep(0)
                begun.set()
                outcomes = await sending
                assert set(outcomes) <= {STORED, "duplicate", UNAVAILABLE}
                waiting += [each for each, outcome in zip(batch, outcomes, strict=True) if outcome == UNAVAILABLE]

    asyncio.run(work())


async def test_what_two_processes_send_at_once_is_stored_once(servers: Servers, postgres_version: int) -> None:
    """Further processes send the same events, and are killed in the middle of a batch, which PostgreSQL rolls back."""
    events = events_of(0, EVENTS)
    once = {event.event_id: event for event in events}
    async with sharded_log(servers, postgres_version, SHARDS) as sharded:
        killed_in_the_middle(sharded.url, events, seed=1)
        begun = CONTEXT.Event()
        steady = [start(send_all, sharded.url, seed, events, begun) for seed in (2, 3)]
        with ended(*steady):
            for seed in range(4, 3 + KILLS):
                killed_in_the_middle(sharded.url, events, seed)
            for process in steady:
                process.join(120)
            assert [process.exitcode for process in steady] == [0, 0]
        await sharded.check(list(once.values()))


def killed_in_the_middle(url: str, events: list[Event], seed: int) -> None:
    """Start a sender, and kill it once its first batch is on its way."""
    begun = CONTEXT.Event()
    with ended(start(send_all, url, seed, events, begun)):
        assert begun.wait(60)
