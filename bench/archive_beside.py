"""What an archive costs beside its answers: memory, a tail that is not archived yet, and POSTs that come meanwhile."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from time import perf_counter

import psutil

from bench.archive_questions import FUNNEL, QUESTIONS, Question
from bench.archived import DAY, Archived
from bench.ground import columns_of
from bench.pace import post_timed
from bench.processes import peak_memory, serving
from bench.rows import MEGABYTES, MILLISECONDS, NotCounted, Row, Spread, in_turns, least_ratio, most
from bench.web_data import SEED, web_events
from service.archive.admission import AT_A_TIME
from service.archive.engine import Engine
from service.ingest.append_queue import EVENTS_PER_COMMIT
from service.ingest.event import Event

TAIL = 100_000
TAIL_HOURS = 10
PACE = 2_000
# Loads of other benchmarks last a quarter of this, and have many more requests.
LONGER = 4
WARM_UP_SECONDS = 1
_MODULE = "service.archive"


async def memory_rows(archived: Archived, engine: Engine) -> list[Row]:
    """Measure the children after as many funnels at a time as a worker answers."""
    for question in (each for each in QUESTIONS if each.what.startswith("funnel")):
        asked = question.asked(archived.since, archived.until)
        await asyncio.gather(*(engine.ask(asked) for _ in range(AT_A_TIME)))
    peaks = [peak_memory(child.pid) for child in psutil.Process().children() if _MODULE in child.cmdline()]
    what = f"memory of {len(peaks)} processes of the engine, {archived.events:,} events archived, peak RSS"
    return [Row(what, MEGABYTES, Spread((sum(peaks),)), goal=most(1_500))]


async def tail_rows(archived: Archived, engine: Engine) -> list[Row]:
    """Append events after the archive's, and measure how much longer an answer takes that needs them, too."""
    events = _tail(archived)
    while columns := columns_of(events, EVENTS_PER_COMMIT):
        await archived.ground.append(columns)
    await archived.ground.database.rows(archived.ground.statements.vacuum)

    async def longer(question: Question) -> float:
        without = await _milliseconds(engine, question, archived.since, archived.until, "archive")
        return await _milliseconds(engine, question, archived.since, archived.until + DAY, "both") - without

    for question in QUESTIONS:
        await longer(question)
    found = await in_turns(archived.ground.size.runs, {each.what: partial(longer, each) for each in QUESTIONS})
    what = f"more time for a tail of {TAIL:,} events that are not archived, {archived.events:,} that are"
    return [Row(f"{what}, {name}", MILLISECONDS, spread, goal=most(150)) for name, spread in found.items()]


def _tail(archived: Archived) -> Iterator[Event]:
    """Yield events of the day after the archive's."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    later = archived.until + timedelta(hours=TAIL_HOURS) - end
    for event in web_events(TAIL, TAIL_HOURS):
        yield event._replace(timestamp=event.timestamp + later)


async def _milliseconds(engine: Engine, question: Question, since: datetime, until: datetime, source: str) -> float:
    started = perf_counter()
    answer = await engine.ask(question.asked(since, until))
    if answer.source != source:
        raise NotCounted(f"{question.what}: the answer came from {answer.source}, not from {source}")
    return (perf_counter() - started) * 1_000


async def beside_rows(archived: Archived, engine: Engine) -> list[Row]:
    """Measure POSTs alone, and while a funnel over everything is asked again and again."""
    ground = archived.ground
    seconds = LONGER * ground.size.load_seconds
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as sender,
        serving(ground, "service", "http") as (port, _),
    ):

        async def alone() -> float:
            return await _p99(sender, port, seconds)

        async def beside() -> float:
            asking = asyncio.create_task(_ask_without_pause(archived, engine))
            try:
                return await _p99(sender, port, seconds)
            finally:
                asking.cancel()
                await asyncio.wait({asking})

        await _p99(sender, port, WARM_UP_SECONDS)
        found = await in_turns(ground.size.runs, {"alone": alone, "beside": beside})
    what = f"POSTs of {PACE:,} events/s beside a funnel over {archived.events:,}, asked without pause, p99"
    return [Row(what, MILLISECONDS, found["beside"], "the same POSTs alone", found["alone"], least_ratio(1 / 2))]


async def _ask_without_pause(archived: Archived, engine: Engine) -> None:
    while True:
        await engine.ask(FUNNEL.asked(archived.since, archived.until))


async def _p99(sender: ProcessPoolExecutor, port: int, seconds: int) -> float:
    times = await asyncio.get_running_loop().run_in_executor(sender, post_timed, port, seconds, SEED, PACE)
    return statistics.quantiles(times, n=100)[98]
