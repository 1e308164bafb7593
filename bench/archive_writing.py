"""What it costs to write an event into the archive: CPU of the writer and of its process of PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from time import process_time

import psutil

from bench.ground import STATEMENT_SECONDS, WEB, Ground, Grounds, columns_of, empty, tell
from bench.rows import NotCounted, Row, Spread, Unit, most
from bench.web_data import web_events
from projections.archive.catalog import Span, appended
from projections.archive.numbers import HOUR
from projections.archive.writer import Writer
from service.ingest.append_queue import EVENTS_PER_COMMIT
from service.ingest.event import Event
from sql.database import Database

DAY = timedelta(days=1)
# A file costs some 60 ms whatever it holds, so that hours of few events would measure nothing else.
HOURS = 5
MICROSECONDS = Unit("µs", more_is_better=False, digits=2)


@dataclass(frozen=True, slots=True)
class Cost:
    """Measures the CPU of this process and of one of PostgreSQL's."""

    backend: psutil.Process

    async def of(self, work: Callable[[], Awaitable[object]], events: int) -> float:
        """Return microseconds an event. Raises NotCounted when nothing was written."""
        before = self._seconds()
        if not await work():
            raise NotCounted("the writer did not record a file")
        return (self._seconds() - before) / events * 1_000_000

    def _seconds(self) -> float:
        times = self.backend.cpu_times()
        return process_time() + float(times.user) + float(times.system)


async def writing_rows(grounds: Grounds) -> list[Row]:
    """Measure files of hours, made from rows, and the file of their day, made from these files."""
    async with empty(grounds.size, WEB) as ground:
        tell(f"write {ground.size.events:,} events into the archive")
        day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY
        events = _events(ground.size.events, day + DAY)
        while columns := columns_of(events, EVENTS_PER_COMMIT):
            await ground.append(columns)
        await ground.database.rows(ground.statements.vacuum)
        of_hours, of_day = await _costs(ground, day)
    what = f"CPU of writing an event, {grounds.size.events:,} events in {HOURS} hours"
    in_all = Spread((of_hours.median + of_day.median,))
    return [
        Row(f"{what}, the files of hours", MICROSECONDS, of_hours),
        Row(f"{what}, the file of the day", MICROSECONDS, of_day),
        Row(f"{what}, both", MICROSECONDS, in_all, goal=most(3)),
    ]


def _events(count: int, end: datetime) -> Iterator[Event]:
    """Yield events of the last hours before a time."""
    later = end - datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for event in web_events(count, HOURS):
        yield event._replace(timestamp=event.timestamp + later)


async def _costs(ground: Ground, day: datetime) -> tuple[Spread, Spread]:
    database = Database(ground.url, connections=1, statement_seconds=STATEMENT_SECONDS)
    try:
        backend = await database.only(database.statements.identify_backend)
        cost = Cost(psutil.Process(backend["pid"]))
        writer = Writer(database, ground.folder / "archive")
        whole = Span(0, day, day + DAY, is_day=True)
        expected = await appended(database, whole)
        of_hours = []
        for hour, numbers in sorted(expected.items()):
            write = partial(writer.write_rows, Span(0, hour, hour + HOUR, is_day=False), {hour: numbers})
            of_hours.append(await cost.of(write, numbers.events))
        of_day = await cost.of(partial(writer.write_day, whole), sum(each.events for each in expected.values()))
        return Spread(tuple(of_hours)), Spread((of_day,))
    finally:
        await database.close()
