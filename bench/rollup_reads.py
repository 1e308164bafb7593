"""Reads of a week's rollups, compared to raw events, with ten times as many events, and while events arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from time import perf_counter

from bench.ground import WEB, Ground, Grounds
from bench.pace import post_steadily
from bench.processes import running, serving
from bench.reads import Reads
from bench.rows import MILLISECONDS, NotCounted, Row, Spread, Step, in_turns, least_ratio, most
from bench.web_data import SEED
from projections.projector import catch_up
from sql.hourly import PROJECTION

PATH = "/api/analytics/rollups?hours=168"
RAW = "the same answer from raw events by SQL"
ROWS = "the same answer from rows of counts and edges"
# How many times as fast as from raw events an answer should be, for 1 and 10 times the events of the other benchmarks.
TIMES_AS_FAST = {1: 60, 10: 500}
# The least ratio of two medians that count as equal: they differ by a quarter.
ALIKE = 0.8
EVENTS_PER_SECOND = 2_000
# How long events arrive before the first request and after the last one.
MARGIN_SECONDS = 1


async def measure(grounds: Grounds) -> list[Row]:
    """Measure while the projectors run: first idle, then while events arrive."""
    with ExitStack() as opened:
        one, ten = [await _served(grounds, times, opened) for times in TIMES_AS_FAST]
        found = await in_turns(grounds.size.runs, one.steps | ten.steps)
        rows = [*one.rows(found, TIMES_AS_FAST[1]), *ten.rows(found, TIMES_AS_FAST[10])]
        alike = Row(ten.median, MILLISECONDS, found[ten.median], one.median, found[one.median], least_ratio(ALIKE))
        return [*rows, alike, *await _while_events_arrive(one)]


async def _served(grounds: Grounds, times: int, opened: ExitStack) -> Rollups:
    ground = await grounds.of(WEB, times=times)
    await catch_up(ground.database)
    await ground.verify()  # writes the documents
    opened.enter_context(running(ground, "projections", "follow"))
    port, _ = opened.enter_context(serving(ground, "service", "http"))
    rollups = Rollups(ground, port)
    await rollups.check()
    return rollups


class Rollups:
    """The steps that read a log's rollups: from the service, and computed from raw events."""

    def __init__(self, ground: Ground, port: int) -> None:
        now = datetime.now(UTC)
        self.ground = ground
        self.port = port
        self.what = f"GET rollups, 168 hours, {ground.size.events:,} events stored"
        self.median = f"{self.what}, median"
        self._answers = Reads(port, PATH, ground.size.requests)
        self._answers_from_rows = Reads(port, PATH, ground.size.requests)
        self._range = (now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=167), now + timedelta(hours=26))

    @property
    def steps(self) -> dict[str, Step]:
        """Return the steps that are measured in turns, by name."""
        return {
            self.median: self._answers.step,
            f"{self.what}, {ROWS}": self._from_rows,
            f"{self.what}, {RAW}": self._from_raw_events,
        }

    def rows(self, found: dict[str, Spread], times_as_fast: float) -> list[Row]:
        """Return the rows of the table."""
        answers, rows, raw = (found[name] for name in self.steps)
        unverified = f"{self.what}, no hour verified, median"
        return [
            Row(self.median, MILLISECONDS, answers, RAW, raw, least_ratio(times_as_fast)),
            Row(self.median, MILLISECONDS, answers, ROWS, rows, most(3)),
            Row(f"{self.what}, p99", MILLISECONDS, self._answers.p99, goal=most(10)),
            Row(unverified, MILLISECONDS, rows, RAW, raw, most(10)),
        ]

    async def check(self) -> None:
        """Raise NotCounted unless the rollups equal those computed from raw events."""
        database = self.ground.database
        async with self._documents_set_aside():
            told = await database.rows(database.statements.read_hourly, 0, *self._range, None)
        raw = await database.rows(self.ground.statements.rollups_from_events, *self._range)
        about_itself = ("position", "lag_events", "document_events", "document_sessions")
        if {tuple(row) for row in raw} != {tuple(row) for row in told if row["measure"] not in about_itself}:
            raise NotCounted("the rollups differ from those computed from raw events")

    async def _from_rows(self) -> float:
        async with self._documents_set_aside():
            return await self._answers_from_rows.step()

    async def _from_raw_events(self) -> float:
        """Compute the answer once; return the time in ms."""
        started = perf_counter()
        await self.ground.database.rows(self.ground.statements.rollups_from_events, *self._range)
        return (perf_counter() - started) * 1000

    @asynccontextmanager
    async def _documents_set_aside(self) -> AsyncIterator[None]:
        """Hide the documents, as if no hour were verified. The projector may write a few of them again meanwhile."""
        await self.ground.database.rows(self.ground.statements.set_documents_aside)
        try:
            yield
        finally:
            await self.ground.database.rows(self.ground.statements.put_documents_back)


async def _while_events_arrive(rollups: Rollups) -> list[Row]:
    size = rollups.ground.size
    idle, loaded = (Reads(rollups.port, PATH, size.requests, size.load_seconds) for _ in range(2))
    with ProcessPoolExecutor(1, get_context("spawn")) as sender:

        async def step() -> float:
            async with _events_arriving(rollups, sender):
                return await loaded.step()

        found = await in_turns(size.runs, {"idle": idle.step, "loaded": step})
    what = f"{rollups.what}, {EVENTS_PER_SECOND:,} events/s arriving"
    peer = "the same, none arriving"
    return [
        Row(f"{what}, median", MILLISECONDS, found["loaded"], peer, found["idle"], least_ratio(0.5)),
        Row(f"{what}, p99", MILLISECONDS, loaded.p99, peer, idle.p99, most(20)),
    ]


@asynccontextmanager
async def _events_arriving(rollups: Rollups, sender: Executor) -> AsyncIterator[None]:
    """Post events from a process of its own until the context is left. Raises NotCounted when the pace is not kept."""
    ground = rollups.ground
    seconds = ground.size.load_seconds + 2 * MARGIN_SECONDS
    enough = await _head(ground) + MARGIN_SECONDS * EVENTS_PER_SECOND
    posting = asyncio.get_running_loop().run_in_executor(
        sender, post_steadily, rollups.port, seconds, SEED + enough, EVENTS_PER_SECOND
    )
    while not posting.done():
        if await _head(ground) >= enough:
            break
        await asyncio.sleep(0.02)
    if posting.done():
        await posting  # raises the error that ended it early
    yield
    if posting.done():
        raise NotCounted(f"requests took longer than {seconds} s of posting")
    await posting
    await ground.wait_until_folded()


async def _head(ground: Ground) -> int:
    row = await ground.database.only(ground.database.statements.list_checkpoints, PROJECTION)
    return int(row["head"])
