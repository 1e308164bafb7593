"""History (R11): opens a day before the horizon so that it takes events, and closes it again, amended.

An open day is in the log like any other, but retention leaves it alone. To close it, its events are folded, verified
and archived, its changed hours are sealed anew behind an amendment, and its rows leave the log as those of any day do.
Every step is a transaction of its own and continues what an earlier one did, so that it may end anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from time import monotonic

import structlog

from projections.archive import steps
from projections.archive.catalog import Span, appended, current_files
from projections.archive.errors import CANNOT_WRITE, Mismatch, why
from projections.archive.identity import check_archive, mark
from projections.archive.kept_days import NotProven, prove_day
from projections.archive.thread import in_thread
from projections.archive.writer import Writer
from projections.hours import each, list_hours, live_versions
from projections.projector import catch_up
from projections.restoring import bounds, restore
from projections.retention import GRACE_DAYS, KEPT, UNFOLDED, seal, step
from projections.verify import AT_A_TIME, HourProof, verify_hour
from sql import VERSION
from sql.clocks import Reading, read_clocks
from sql.database import Database, Row
from sql.errors import DatabaseError, Unavailable
from sql.hourly import FILLING, PROJECTION, SEALED, VERIFIED
from sql.retention import DAY, time_passed

# How long others may hold a lock, or a rebuild or another projector a checkpoint.
PATIENCE_SECONDS = 120.0
BUSY_SECONDS = 0.1
# Pauses between tries to have the log for itself. Appends wait behind each try, and go on during the pause.
PAUSES = (1.0, 2.0, 5.0)
IN_THE_LOG = "in the log"

log = structlog.get_logger(__name__)


class NotNow(DatabaseError):
    """A day cannot be opened or closed at the moment. It stays as it is."""


class NotClosed(DatabaseError):
    """A day cannot be closed because something is wrong with it. It stays open, and loses nothing."""


@dataclass(frozen=True, slots=True)
class History:
    """Opens and closes days of one log.

    archive: the folder of the archive. grace_days: how long rows stay after their day has left the log. reading: of the
    clocks; None: read them. patience: seconds that others may be in the way. pauses: seconds between tries to have the
    log for itself; the last one repeats.
    """

    database: Database
    archive: Path
    grace_days: int = GRACE_DAYS
    reading: Reading | None = None
    patience: float = PATIENCE_SECONDS
    pauses: Sequence[float] = PAUSES

    async def left(self) -> list[date]:
        """Return the days that an interrupted import left open; drop what it was restoring."""
        await self.database.rows(self.database.statements.drop_restored, None)
        return [row["day"] for row in await self.database.rows(self.database.statements.list_opened_days)]

    async def open(self, day: date, reason: str, asked_by: str) -> str | None:
        """Open a day; return why it can take no history, None when it is open.

        Raises NotNow, OSError when the folder is not the archive, and sql.errors.DatabaseError.
        """
        moment = await self._moment()
        found = await self._standing(day, moment)
        wrong = None
        if found["hindrance"] is None and found["state"] == KEPT:
            wrong = await restore(self.database, self.archive, day)
        elif found["hindrance"] is None and found["state"] == IN_THE_LOG:
            wrong = await self._seal(day)
        if wrong is not None:
            await self.database.rows(self.database.statements.drop_restored, None)
            return wrong
        row = await self._patiently(self.database.statements.open_day, day, reason, asked_by, moment)
        if row["hindrance"] is not None and row["passes"]:
            raise NotNow(f"{day} cannot take history now: {row['hindrance']}")
        steps.reached(steps.OPENED)
        hindrance: str | None = row["hindrance"]
        return hindrance

    async def close(self, day: date) -> None:
        """Close a day that is open.

        Raises NotNow, NotClosed when its hours do not verify or cannot be archived, and sql.errors.DatabaseError.
        """
        await self.database.rows(self.database.statements.shut_day, day)
        steps.reached(steps.SHUT)
        deadline = monotonic() + self.patience
        while (hindrance := await self._close(day)) is not None:
            if monotonic() > deadline:
                raise NotNow(f"{day} cannot be closed now: {hindrance}")
            await asyncio.sleep(BUSY_SECONDS)
        steps.reached(steps.CLOSED)
        log.info("a day that took history is closed", day=day.isoformat())

    async def _close(self, day: date) -> str | None:
        """Do all that is left to do to close a day; return what hindered it."""
        moment = await self._moment()
        await self._fold()
        steps.reached(steps.FOLDED)
        proofs = await self._verify(day)
        steps.reached(steps.VERIFIED)
        proven = None
        if (await self._standing(day, moment))["kept_until"] > moment:
            proven = await self._proven(day, await self._archive(day))
            steps.reached(steps.ARCHIVED)
        for shard, version in (await live_versions(self.database)).items():
            of_shard = [proof for proof in proofs if proof.hour.shard == shard]
            if (hindrance := await self._amend(shard, version, day, of_shard)) is not None:
                return hindrance
            steps.reached(steps.AMENDED)
        query, until = self.database.statements.close_day, moment + self.grace_days * DAY
        row = await self._patiently(query, day, until, self._clock, proven)
        if row["failed"]:
            raise NotClosed(f"{day} stays open: {row['hindrance']}")
        return None if row["hindrance"] is None else str(row["hindrance"])

    @property
    def _clock(self) -> datetime | None:
        return self.reading.database if self.reading else None

    async def _moment(self) -> datetime:
        return await time_passed(self.database, self.reading or read_clocks())

    async def _standing(self, day: date, moment: datetime) -> Row:
        return await self.database.only(self.database.statements.list_history_days, [day], moment)

    async def _seal(self, day: date) -> str | None:
        """Seal the hours of a day that is in the log still, so that an amendment can say what was before it.

        Return what is wrong with an hour that cannot be sealed.
        """
        await self._fold()
        for hour in await list_hours(self.database, *bounds(day)):
            state = await seal(self.database, hour, self._clock)
            where = f"hour {hour.start:%H:%M} of shard {hour.shard}"
            if state == UNFOLDED:
                raise NotNow(f"{day} cannot take history now: {where} is {state}")
            if state != SEALED:
                return f"{where} is {state}; see make verify"
        return None

    async def _fold(self) -> None:
        """Fold what was appended before this call. Wait while another projector does."""
        query = self.database.statements.list_checkpoints
        heads = {row["shard"]: row["head"] for row in await self.database.rows(query, PROJECTION)}
        deadline = monotonic() + self.patience
        while True:
            folded = await catch_up(self.database)
            rows = await self.database.rows(query, PROJECTION)
            if all(row["position"] >= heads[row["shard"]] for row in rows if row["stage"] != FILLING):
                return
            if folded:
                deadline = monotonic() + self.patience
            elif monotonic() > deadline:
                raise NotNow(
                    "the log cannot be folded now: another process holds a checkpoint, or events cannot be read"
                )
            await asyncio.sleep(BUSY_SECONDS)

    async def _verify(self, day: date) -> list[HourProof]:
        """Verify the hours of a day. Raises NotClosed when one is wrong."""
        proofs = []
        verified = partial(verify_hour, self.database, clock=self._clock, replan=True)
        async for hour, proof in each(await list_hours(self.database, *bounds(day)), verified, at_a_time=AT_A_TIME):
            if proof.state != VERIFIED:
                where = f"hour {hour.start:%H:%M} of shard {hour.shard}"
                raise NotClosed(f"{day} stays open: {where} is {proof.state}; see make verify")
            proofs.append(proof)
        return proofs

    async def _archive(self, day: date) -> list[str]:
        """Write the rows of a day into one file a shard, unless files hold all its hours as they are.

        Return the files that were written; the numbers of each were recomputed from it.
        """
        since, until = bounds(day)
        made: list[str] = []
        try:
            archive_id = await check_archive(self.database, self.archive)
            await in_thread(partial(mark, self.archive, archive_id))
            for shard in await self.database.rows(self.database.statements.list_shards):
                span = Span(shard["shard"], since, until, is_day=True)
                expected = await appended(self.database, span)
                current = {hour for file in await current_files(self.database, span) for hour in file.hours}
                if expected.keys() != current:
                    name = await Writer(self.database, self.archive, self._clock).write_rows(span, expected)
                    made += [] if name is None else [name]
        except Mismatch as error:
            raise NotClosed(f"{day} stays open: {error}") from error
        except CANNOT_WRITE as error:
            raise NotNow(f"{day} stays open: the archive cannot be written: {why(error)}") from error
        return made

    async def _proven(self, day: date, made: list[str]) -> list[str]:
        """Prove the files of a day from themselves, because they are about to be the only copy; return their names.

        made: those that were proven while they were made, just now.
        """
        try:
            return await prove_day(self.database, self.archive, *bounds(day), made=made)
        except NotProven as error:
            raise (NotClosed if error.failed else NotNow)(f"{day} stays open: {error}") from error

    async def _amend(self, shard: int, version: int, day: date, proofs: list[HourProof]) -> str | None:
        columns = (
            [proof.hour.start for proof in proofs],
            *([proof.folded[place] for proof in proofs] for place in range(3)),
        )
        query = self.database.statements.amend_day
        row = await step(self.database, query, shard, version, day, *columns, VERSION, self._clock)
        hindrance: str | None = row["hindrance"]
        return hindrance

    async def _patiently(self, query: str, *args: object) -> Row:
        """Do a step that needs the log for itself for a moment; try again, ever less often, while others use it."""
        deadline = monotonic() + self.patience
        pauses = chain(self.pauses, repeat(self.pauses[-1]))
        while True:
            try:
                return await self.database.only(query, *args)
            except Unavailable:
                if monotonic() > deadline:
                    raise
                await asyncio.sleep(next(pauses))
