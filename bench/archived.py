"""Grounds whose events are in the archive alone: generated straight into files, by the writer's own code.

Appending a hundred million events would take an hour, and questions need nothing of the log but its receipts. These are
made from the files' numbers, so that the service takes the files as current. Each file is proven once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path

from bench.ground import WEB, Ground, Size, empty
from bench.rows import NotCounted
from bench.statements import duckdb_statement
from projections.archive.catalog import CurrentFile, Span, WrittenFile, begin_file, record_hours
from projections.archive.folder import close_to_all, put_in_place, sha256_of, writing_folder
from projections.archive.making import make_day
from projections.archive.numbers import HOUR, Numbers, count_file
from projections.archive.proof import archived_files, prove
from service.console import progress
from sql.archive.duck import connect
from sql.archive.files import STRING, WHOLE, file_name, property_column
from sql.durable import sync

DAYS = 7
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
GENERATING_MEMORY = "2GB"
# More than the writer has, because a part of the sessions is sorted at a time, and each part reads the whole day.
SORTING_MEMORY = "8GB"
SORTED_AT_ONCE = 5_000_000
THREADS = 2
COLUMNS = (
    property_column("path", STRING),
    property_column("milliseconds", WHOLE),
    property_column("risk_mode", STRING),
)
# As generate_day.sql has it: events of 27 sessions, and how long after the first of them may begin the last is over.
GROUP = 378
LONGEST = timedelta(hours=2)
# Stands for the numbers of a generated hour, which make_day does not read.
NOTHING = Numbers(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archived:
    """A ground whose events, of [since, until), are all in files. files: their places. bytes: of all files."""

    ground: Ground
    archive: Path
    since: datetime
    until: datetime
    files: tuple[Path, ...]
    bytes: int

    @property
    def events(self) -> int:
        """The number of events."""
        return self.ground.size.events


@asynccontextmanager
async def archived(size: Size, times: int) -> AsyncIterator[Archived]:
    """Yield a ground with `times` times the events of the size in the archive. Raises NotCounted when a proof fails."""
    size = replace(size, events=size.events * times)
    async with empty(size, WEB) as ground:
        # A day is left for events that are not archived.
        until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY
        generator = Generator(ground, ground.folder / "archive", until - DAYS * DAY)
        await generator.fill()
        await ground.database.rows(ground.statements.vacuum)
        yield await generator.proven(until)


@dataclass(slots=True)
class Generator:
    """Fills an archive with the days from `since`. filled: events so far."""

    ground: Ground
    archive: Path
    since: datetime
    filled: int = 0

    async def fill(self) -> None:
        """Write all days."""
        with progress("bench: generate files", self.ground.size.events, "events") as meter:
            for number in range(DAYS):
                before = self.filled
                await self._fill_day(self.since + number * DAY)
                meter.advance(self.filled - before)
        if self.filled != self.ground.size.events:
            raise NotCounted(f"{self.filled:,} events were generated, not {self.ground.size.events:,}")

    async def proven(self, until: datetime) -> Archived:
        """Return what was filled, once every file is proven. Raises NotCounted when one is wrong."""
        files = await archived_files(self.ground.database)
        async for proof in prove(self.ground.database, self.archive, files):
            if proof.wrong is not None:
                raise NotCounted(f"{proof.file.file}: {proof.wrong}")
        if sum(file.events for file in files) != self.filled:
            raise NotCounted(f"the archive does not hold {self.filled:,} events")
        places = tuple(self.archive / file.file for file in files)
        return Archived(self.ground, self.archive, self.since, until, places, sum(file.bytes for file in files))

    async def _fill_day(self, day: datetime) -> None:
        with writing_folder(self.archive) as folder:
            generated, file = folder / "generated.parquet", folder / "file.parquet"
            self._generate(folder, day, generated)
            written = self._write(day, generated, file)
            await self._publish(written, file)

    def _generate(self, folder: Path, day: datetime, file: Path) -> None:
        events, lasting, passed = self.ground.size.events, DAYS * DAY, day - self.since
        given = {
            "first": max(int((passed - LONGEST) / (lasting - LONGEST) * events) - GROUP, 0),
            "end": min(int((passed + DAY) / (lasting - LONGEST) * events) + GROUP, events),
            "events": events,
            "since": self.since,
            "range": lasting // MICROSECOND,
            "day": day,
            "before": self.filled,
            "file": str(file),
        }
        with closing(connect(folder, GENERATING_MEMORY, THREADS)) as duck:
            duck.execute(duckdb_statement("generate_day"), given)

    def _write(self, day: datetime, generated: Path, file: Path) -> WrittenFile:
        """Sort the events of a day as the projector does."""
        with closing(connect(file.parent, SORTING_MEMORY, THREADS)) as duck:
            hours = {day + number * HOUR: NOTHING for number in range(24)}
            sources = [CurrentFile(str(generated), COLUMNS, hours)]
            columns, events, long_numbers = make_day(duck, self.archive, sources, file, slice_of=SORTED_AT_ONCE)
            counted = {hour: numbers for (_, hour), numbers in count_file(duck, file).items()}
        close_to_all(file)
        sync(file)
        name = file_name(0, day, day=True, digest=sha256_of(file))
        span = Span(0, day, day + DAY, is_day=True)
        return WrittenFile(span, name, file.stat().st_size, columns, events, long_numbers, counted)

    async def _publish(self, written: WrittenFile, file: Path) -> None:
        """Record a file, as the projector does, after receipts that say the same."""
        hours = sorted(written.hours)
        numbers = [written.hours[hour] for hour in hours]
        heads = [self.filled + events for events in accumulate(each.events for each in numbers)]
        sums = [
            [Decimal(getattr(each, name)) for each in numbers] for name in ("position_sum", "digest_high", "digest_low")
        ]
        database = self.ground.database
        events = [each.events for each in numbers]
        await database.rows(self.ground.statements.fill_receipts, heads, hours, events, *sums)
        await begin_file(database, written, None)
        place = self.archive / written.file
        if not put_in_place(file, place) or await record_hours(database, written, place.exists, None) != hours:
            raise NotCounted(f"{written.file} was not recorded with all of its hours")
        self.filled += written.events
