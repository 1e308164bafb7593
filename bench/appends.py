"""The append function alone, on one connection, against COPY of the same rows."""

from __future__ import annotations

from functools import partial

from bench.copying import PEER, copying
from bench.ground import WEB, Grounds, empty
from bench.rows import EVENTS_PER_SECOND, NotCounted, Row, Step, in_turns, least_ratio
from projections.projector import catch_up
from service.ingest.append_queue import EVENTS_PER_COMMIT

# Batches of the warm-up, which opens connections, plans statements and fills caches.
WARM_UP = 10
# A sample appends this fraction (1/5) of the events that the other benchmarks store.
SHARE = 5


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on a log of its own, so that the log and the peer's table both begin empty and grow alike."""
    size = grounds.size
    batches = max(size.events // SHARE // EVENTS_PER_COMMIT, 1)
    events = WEB.events((WARM_UP + size.runs * batches) * EVENTS_PER_COMMIT, size.hours)
    async with empty(size, WEB) as ground, copying(ground) as peer:

        def steps(batches: int) -> dict[str, Step]:
            return {"append": partial(ground.append_batches, events, batches), "copy": peer.step}

        await in_turns(1, steps(WARM_UP))
        found = await in_turns(size.runs, steps(batches))
        await catch_up(ground.database)
        if await ground.verify() != peer.rows:
            raise NotCounted("the log does not hold the rows that were copied")
    what = f"append function alone, batches of {EVENTS_PER_COMMIT}, in arrival order"
    return [Row(what, EVENTS_PER_SECOND, found["append"], PEER, found["copy"], least_ratio(0.7, reached=0.5))]
