"""Imports of history that are killed at each of their steps and run again, beside a projector, appends and questions.

An import opens a day, appends, folds, verifies, archives, amends and closes it. When a day takes history again, its
events come back from the archive first. Each import runs in one process here, so that its death is that of all parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from itertools import count, pairwise
from pathlib import Path

from projections import history
from projections.archive import steps
from projections.follow import follow
from projections.retention import retain
from service.imports.history import History
from service.imports.importer import Job, Tally, import_file
from service.imports.targets import Log
from service.ingest.event import Event
from sql.database import Database
from sql.retention import Retention, record_retention
from tests.faults.table.archives import compare_files
from tests.faults.table.ground import DAY, OLD_DAYS, Ground
from tests.faults.table.processes import RETENTION_DAYS, append_all, die_at, ended, events_of, run_all, start
from tests.faults.table.questions import Settled, asked
from tests.support.oracle import HOUR, start_of
from tests.support.sent import as_sent

KEPT = Retention(10_000, 10_000, RETENTION_DAYS)
# So many days take history in turn, so that the later imports come to days that the archive has.
DAYS = 5
DAYS_OF_AN_IMPORT = 2


@dataclass(frozen=True, slots=True)
class Days:
    """The days of an import, opened and closed in its own process."""

    days: history.History

    async def left(self) -> list[date]:
        """Return the days that an interrupted import left open."""
        return await self.days.left()

    async def open(self, day: date) -> str | None:
        """Open a day."""
        return await self.days.open(day, "a test", "the fault table")

    async def close(self, day: date) -> None:
        """Close a day."""
        steps.reached(steps.APPENDED)
        await self.days.close(day)


def import_history(url: str, archive: Path, file: Path, step: str | None, times: int) -> None:
    """Import a file, then drop the rows that have left the log; be killed when a step was reached so many times."""
    die_at(step, times)
    asyncio.run(_import(url, archive, file))


async def _import(url: str, archive: Path, file: Path) -> None:
    database = Database(url, connections=4)

    @asynccontextmanager
    async def days() -> AsyncIterator[Days]:
        yield Days(history.History(database, archive, grace_days=0))

    tally = Tally()
    with redirect_stderr(StringIO()):  # the progress of so many imports helps nobody
        await import_file(Log(database, RETENTION_DAYS), Job(file, history=History(days, lambda _: None)), tally)
    if tally.rejected or tally.waiting or tally.stored + tally.duplicate != tally.read:
        raise AssertionError(f"the import has ended with {tally}")
    await _drop_rows(database, archive)
    await database.close()


async def _drop_rows(database: Database, archive: Path, *, force: bool = False) -> None:
    async for day in retain(database, KEPT, archive=archive, grace_days=0, force=force):
        if day.failed:
            raise AssertionError(f"a day is kept: {day}")


def keep_following(url: str, archive: Path) -> None:
    """Run a projector with all that it does, until killed."""
    asyncio.run(follow(Database(url, connections=4), KEPT, 0, asyncio.Event(), archive=archive))


async def kill_imports(ground: Ground) -> None:
    """Kill one import after another, each at another step; then run it to its end."""
    await record_retention(ground.database, KEPT)
    await _drop_rows(ground.database, ground.archive, force=True)
    with ended(start(keep_following, ground.url, ground.archive)):
        for number in count():
            if ground.row.faults >= ground.trial.faults:
                break
            await _kill_import(ground, number)
    old = [each for each in ground.acked.values() if each.timestamp < _day(ground, DAYS)]
    await compare_files(ground, old, {each.timestamp.date() for each in old})


async def _kill_import(ground: Ground, number: int) -> None:
    places = sorted((number + more) % DAYS for more in range(DAYS_OF_AN_IMPORT))
    events = [event for place in places for event in _history(ground, _day(ground, place))]
    file = ground.folder / f"{number}.ndjson"
    await asyncio.to_thread(_write, file, events)
    where, load = (ground.url, ground.archive, file), events_of(number, ground.trial.batch)
    step = steps.HISTORY_STEPS[number % len(steps.HISTORY_STEPS)]
    killed = (import_history, (*where, step, 1 + number // len(steps.HISTORY_STEPS) % DAYS_OF_AN_IMPORT))
    async with asked(ground, *_about(ground, places, events)):
        ground.row.faults += await asyncio.to_thread(run_all, killed, (append_all, (ground.url, number, load)))
        for place in places:
            await _verify_day(ground, place)
        await asyncio.to_thread(run_all, (import_history, (*where, None, 0)))
    ground.ack([*events, *load])
    for place in places:
        await _verify_day(ground, place)
    async with asked(ground, _stretch(ground, 0, DAYS)):
        pass


def _history(ground: Ground, day: datetime) -> list[Event]:
    ground.batches += 1
    return ground.events_of(day + ground.chance.randrange(24) * HOUR)


def _write(file: Path, events: list[Event]) -> None:
    file.write_bytes(b"".join(as_sent(event) + b"\n" for event in events))


def _day(ground: Ground, place: int) -> datetime:
    return ground.start.replace(hour=0) + (place - OLD_DAYS // 4) * DAY


def _acked(ground: Ground, first: int, last: int) -> list[Event]:
    """Return the acked events of some days, up to the last one, which is not among them."""
    since, until = _day(ground, first), _day(ground, last)
    return [each for each in ground.acked.values() if since <= each.timestamp < until]


def _about(ground: Ground, places: list[int], events: list[Event]) -> list[Settled]:
    """Return what can be asked while some days take events: about each of these, and about the days between them."""
    taking = [_stretch(ground, place, place + 1, events) for place in places]
    others = [_stretch(ground, first + 1, last) for first, last in pairwise([-1, *places, DAYS]) if first + 1 < last]
    return [*taking, *(about for about in others if about.events)]


def _stretch(ground: Ground, first: int, last: int, events: Sequence[Event] = ()) -> Settled:
    since, until = _day(ground, first), _day(ground, last)
    coming = [each for each in events if since <= each.timestamp < until]
    return Settled(_acked(ground, first, last), since, until, since, coming)


async def _verify_day(ground: Ground, place: int) -> None:
    for hour in sorted({start_of(each.timestamp, HOUR) for each in _acked(ground, place, place + 1)}):
        await ground.verify(hour)
