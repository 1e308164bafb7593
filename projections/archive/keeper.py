"""Keeps the archive: writes what is due, proves it again and again, and cleans, in a bounded share of the time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import structlog

from projections.archive.catalog import Span, current_files, hours_to_write
from projections.archive.cleaning import clean
from projections.archive.errors import CANNOT_WRITE, Mismatch, why
from projections.archive.identity import check_archive, mark
from projections.archive.numbers import HOUR
from projections.archive.proof import FileProof, archived_files, prove
from projections.archive.thread import in_thread
from projections.archive.writer import Writer
from projections.hours import live_versions
from sql.archive.files import is_file_name
from sql.database import Database
from sql.errors import Refused, Unreadable

# A day is merged when none of its files was written for this long: as long as between two verifications of an hour.
PATIENCE = timedelta(minutes=5)
# With a day that has a file already, because each late event would cost the whole day.
PATIENCE_AGAIN = timedelta(hours=1)
# A file is proven at least once a day; a little less than a day, because other work comes before.
PROOF_AGE = timedelta(hours=20)
# What cannot be written, and a damaged file, is tried again after this time.
AGAIN_SECONDS = 300.0
CLEAN_SECONDS = 60.0
PROVE_SECONDS = 60.0
# The largest share of the time that is spent on the archive.
SHARE = 0.2
IDLE_SECONDS = 5.0
LONGEST_PAUSE = 60.0
DAY = timedelta(days=1)
# How many files a line of the log names.
MOST_TOLD = 20
DAMAGED = "a file of the archive is damaged; its hours are read and written anew from the log"
UNKNOWN = "the archive's catalog does not know these files; they stay until events of their day are kept no longer"
ONLY_COPY_DAMAGED = (
    "a file of the archive is damaged, and the log has no rows of its hours any more: restore it from a backup,"
    " or run make undrop, which brings the rows back while they are there"
)

log = structlog.get_logger(__name__)


class Keeper:
    """Keeps one archive. clock: None for the database's."""

    def __init__(self, database: Database, archive: Path, clock: datetime | None = None) -> None:
        self.database = database
        self.archive = archive
        self.clock = clock
        self.writer = Writer(database, archive, clock)
        self._archive_id = ""
        # What is left out until a moment of this process's clock, by what it is for, or by file.
        self._left_out: dict[Span | str, float] = {}
        self._clean_at = self._prove_at = 0.0
        # Until then a file that could not be written is left out, so a step without an error says nothing about it.
        self._try_again_at = 0.0
        self._can_clean = True
        self._failures = 0
        self._told_success = False
        self._told_left: set[str] = set()
        self._told_unknown: list[str] = []

    async def step(self) -> bool:
        """Write, prove or clean one thing; return whether there was anything to do. Touch only the right folder.

        When the disk cannot be written, record that in the database and try again later. Raises DatabaseError.
        """
        now = monotonic()
        self._left_out = {what: until for what, until in self._left_out.items() if until > now}
        try:
            self._archive_id = await check_archive(self.database, self.archive)
            # However much there is to write, neither of these may wait for the end of it.
            if now >= self._clean_at:
                self._clean_at = now + CLEAN_SECONDS
                await self._clean()
            if now >= self._prove_at:
                self._prove_at = now + PROVE_SECONDS
                if await self._prove():
                    return True
            busy = await self._write()
        except CANNOT_WRITE as error:
            await self._failed(error)
            return False
        if self._can_clean and now >= self._try_again_at:
            await self._succeeded()
        return busy or await self._prove()

    def pause_after(self, seconds: float, *, idle: bool) -> float:
        """Return how many seconds to wait after a step that took `seconds`."""
        if self._failures:
            return min(IDLE_SECONDS * self._failures, LONGEST_PAUSE)
        return IDLE_SECONDS if idle else seconds * (1 / SHARE - 1)

    async def _clean(self) -> None:
        """Clean. Raises the error of a file of the archive that could not be deleted."""
        self._can_clean = False
        cleaned = await clean(self.database, self.archive)
        self._tell_unknown(cleaned.unknown)
        left = cleaned.left
        if left.keys() != self._told_left:
            self._told_left = set(left)
            told = [f"{name}: {error.strerror or error}" for name, error in left.items()]
            if told:
                log.warning("the archive's cleaning could not remove these", folder=str(self.archive), left=told)
        for error in (error for name, error in left.items() if is_file_name(name)):
            raise error
        self._can_clean = True

    def _tell_unknown(self, files: list[str]) -> None:
        if files != self._told_unknown:
            self._told_unknown = files
            if files:
                log.warning(UNKNOWN, folder=str(self.archive), files=files[:MOST_TOLD], number=len(files))

    async def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._told_success = False
        log.warning(
            "the archive cannot be written", folder=str(self.archive), error=str(error), failures=self._failures
        )
        await self.database.rows(self.database.statements.record_archive_failure, why(error))

    async def _succeeded(self) -> None:
        self._failures = 0
        if not self._told_success:
            await self.database.rows(self.database.statements.record_archive_success)
            self._told_success = True

    async def _write(self) -> bool:
        """Write the newest hour that is due, or else merge the newest day that is; one shard after another."""
        for shard, version in (await live_versions(self.database)).items():
            if await self._write_hour(shard, version) or await self._write_day(shard, version):
                return True
        return False

    async def _write_hour(self, shard: int, version: int) -> bool:
        left_out = self._out(shard, is_day=False)
        for hour, expected in (await hours_to_write(self.database, shard, version, left_out, 1)).items():
            span = Span(shard, hour, hour + HOUR, is_day=False)
            await self._try(span, partial(self.writer.write_rows, span, {hour: expected}))
            return True
        return False

    async def _write_day(self, shard: int, version: int) -> bool:
        bounds = (PATIENCE, PATIENCE_AGAIN, self.clock, self._out(shard, is_day=True), 1)
        query = self.database.statements.list_days_to_archive
        for row in await self.database.rows(query, shard, version, *bounds):
            span = Span(shard, row["since"], row["since"] + DAY, is_day=True)
            await self._try(span, partial(self._merge, span))
            return True
        return False

    async def _merge(self, span: Span) -> bool:
        """Merge the files of a day, unless one is damaged, which then is recorded."""
        names = [file.file for file in await current_files(self.database, span)]
        files = await archived_files(self.database, names)
        proofs = [proof async for proof in prove(self.database, self.archive, files, self.clock, numbers=False)]
        self._tell(proofs)
        return all(proof.wrong is None for proof in proofs) and await self.writer.write_day(span)

    def _out(self, shard: int, *, is_day: bool) -> list[datetime]:
        spans = [what for what in self._left_out if isinstance(what, Span)]
        return [span.since for span in spans if (span.shard, span.is_day) == (shard, is_day)]

    async def _try(self, span: Span, write: Callable[[], Awaitable[str | bool | None]]) -> None:
        """Write a file; what is not as it should be is left out for a while, so that the rest is written."""
        what = {"since": span.since.isoformat(), "until": span.until.isoformat(), "shard": span.shard}
        try:
            await in_thread(partial(mark, self.archive, self._archive_id))
            if await write():
                self._failures, self._try_again_at = 0, 0.0
                return
            log.debug("a file of the archive was not recorded", **what)
        except Mismatch as error:
            log.error("a file of the archive is not what was appended", **what, error=str(error))  # noqa: TRY400
        except (Refused, Unreadable) as error:
            log.error("events cannot be read for the archive", **what, error=str(error))  # noqa: TRY400
        except CANNOT_WRITE:
            self._try_again_at = monotonic() + AGAIN_SECONDS
            self._leave_out(span)
            raise
        self._leave_out(span)

    def _leave_out(self, what: Span | str) -> None:
        self._left_out[what] = monotonic() + AGAIN_SECONDS

    async def _prove(self) -> bool:
        """Prove the file that was proven longest ago, if that is long ago, or it is damaged."""
        left_out = [what for what in self._left_out if isinstance(what, str)]
        query = self.database.statements.list_files_to_prove
        names = [row["file"] for row in await self.database.rows(query, PROOF_AGE, self.clock, left_out, 1)]
        files = await archived_files(self.database, names)
        self._tell([proof async for proof in prove(self.database, self.archive, files, self.clock)])
        return bool(names)

    def _tell(self, proofs: list[FileProof]) -> None:
        for proof in proofs:
            if proof.wrong is not None:
                self._leave_out(proof.file.file)
                hours = [f"{hour:%Y-%m-%dT%H:%MZ}" for hour in sorted(proof.file.hours)]
                told = {"file": proof.file.file, "why": proof.wrong, "first": hours[0], "last": hours[-1]}
                what = ONLY_COPY_DAMAGED if proof.file.only_copy else DAMAGED
                log.error(what, **told)


def archive_keeper(database: Database, archive: Path | None) -> Callable[[], Awaitable[float]]:
    """Return the work of one step, if there is an archive; it returns the seconds until the next."""
    keeper = None if archive is None else Keeper(database, archive)

    async def archiving() -> float:
        if keeper is None:
            return LONGEST_PAUSE
        started = monotonic()
        idle = not await keeper.step()
        return keeper.pause_after(monotonic() - started, idle=idle)

    return archiving
