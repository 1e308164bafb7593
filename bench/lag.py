"""How far the projector is behind while events arrive at a steady pace."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from time import monotonic
from typing import NamedTuple

from bench.ground import WEB, Ground, Grounds, empty
from bench.pace import EVENTS_PER_SECOND, post_steadily
from bench.processes import running, serving
from bench.rows import MILLISECONDS, NotCounted, Row, Spread, least_ratio, most
from bench.web_data import SEED
from sql.hourly import PROJECTION

LOOK_SECONDS = 0.02
WARM_UP_SECONDS = 1


class Look(NamedTuple):
    """The log's head and the projector's checkpoint, read between `asked` and `answered` (monotonic seconds)."""

    asked: float
    answered: float
    head: int
    position: int


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on a log of its own that is empty at first, to show whether the lag grows with the log."""
    size = grounds.size
    with ProcessPoolExecutor(1, get_context("spawn")) as sender:
        async with empty(size, WEB) as ground:
            with running(ground, "projections", "follow"), serving(ground, "service", "http") as (port, _):
                # Warm up: open connections, prepare statements, run the code once.
                sent, _ = await _looked_at(ground, sender, port, WARM_UP_SECONDS, SEED - 1)
                stored, looks = await _looked_at(ground, sender, port, size.lag_seconds, SEED)
            if await ground.verify() != sent + stored:
                raise NotCounted(f"the log does not hold the {sent + stored:,} events that were sent")
    return _rows(looks, f"projector keeping up with {EVENTS_PER_SECOND:,} events/s for {size.lag_seconds} s")


def _rows(looks: list[Look], what: str) -> list[Row]:
    found = list(lags(looks))
    third = len(found) // 3
    p99 = Spread((statistics.quantiles(found, n=100)[98],))
    first, last = (Spread((statistics.median(some),)) for some in (found[:third], found[-third:]))
    goal = least_ratio(1 / 1.5)
    return [
        Row(f"{what}, from commit to fold, p99", MILLISECONDS, p99, goal=most(250)),
        Row(f"{what}, median of the last third", MILLISECONDS, last, "median of the first third", first, goal),
    ]


def lags(looks: list[Look]) -> Iterator[float]:
    """Yield an upper bound in ms of how long events waited to be folded, for each look that saw new events.

    The wait begins when the look before was asked, because it did not see the events yet. It ends when a look that
    shows them folded was answered. The last look must show every event folded.
    """
    later = iter(looks)
    folded = next(later)
    for before, look in pairwise(looks):
        if look.head > before.head:
            while folded.position < look.head:
                folded = next(later)
            yield (folded.answered - before.asked) * 1000


async def _looked_at(
    ground: Ground, sender: ProcessPoolExecutor, port: int, seconds: int, seed: int
) -> tuple[int, list[Look]]:
    """Post for `seconds`; return how many events were stored, and the looks taken until all were folded."""
    posting = asyncio.get_running_loop().run_in_executor(sender, post_steadily, port, seconds, seed)
    looks = [await _look(ground)]
    while not posting.done():
        await asyncio.sleep(LOOK_SECONDS)
        looks.append(await _look(ground))
    await ground.wait_until_folded()
    return await posting, [*looks, await _look(ground)]


async def _look(ground: Ground) -> Look:
    statements = ground.database.statements
    asked = monotonic()
    row = await ground.database.only(statements.list_checkpoints, PROJECTION)
    return Look(asked, monotonic(), row["head"], row["position"])
