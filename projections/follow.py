"""The projector process: folds the log, and does the recurring work beside it, until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import Any

import structlog

from projections.archive.keeper import archive_keeper
from projections.due_hours import pause_after, verify_due
from projections.long_readers import reader_watch
from projections.projector import FOLD_LIMIT, step, tidy
from projections.refused_names import names_watch
from projections.retention import PATIENCE, retain
from projections.versions import end_abandoned
from projections.witness import witness_keeper
from sql.database import Database
from sql.errors import DatabaseError
from sql.retention import Retention, record_retention

# The pause between folds. Reads are fresh all the same (R8). A fold costs a few milliseconds for however few events, so
# it pays to wait for more of them.
PAUSE_SECONDS = 0.1
# While nothing is appended, each pause is twice as long as the last, up to this one: an idle projector costs next to
# nothing.
IDLE_SECONDS = 0.5
CLOCKWORK_SECONDS = 10.0
RETENTION_SECONDS = 60.0
# How long work under way may still take after a stop.
STOP_SECONDS = 5.0
_LONGEST_PAUSE = 5.0

log = structlog.get_logger(__name__)


async def follow(
    database: Database,
    asked: Retention,
    grace_days: int,
    stop: asyncio.Event,
    witness: Path | None = None,
    archive: Path | None = None,
) -> None:
    """Fold, tidy, verify, retire, keep the witness and the archive, and watch readers and names, until `stop` is set.

    When the database is away, wait for it.
    """
    # Only a start records a longer retention, so that one that was shortened meanwhile stays shorter.
    lengthen = True
    pause = PAUSE_SECONDS

    async def fold() -> float:
        nonlocal pause
        pause = fold_pause(await step(database), pause)
        return pause

    async def clockwork() -> float:
        await tidy(database, asked.log_days)
        await end_abandoned(database)
        return CLOCKWORK_SECONDS

    async def verification() -> float:
        started = monotonic()
        proofs = await verify_due(database, archive=archive)
        return pause_after(monotonic() - started, idle=not proofs)

    async def retention() -> float:
        nonlocal lengthen
        kept = await record_retention(database, asked, lengthen=lengthen)
        lengthen = False
        async for _ in retain(database, kept, archive=archive, grace_days=grace_days, patience=PATIENCE):
            if stop.is_set():
                break
        return RETENTION_SECONDS

    keepers = witness_keeper(database, witness, archive), archive_keeper(database, archive)
    watches = reader_watch(database), names_watch(database)
    works = (fold, clockwork, verification, retention, *keepers, *watches)
    await _repeat_all(works, stop)


def fold_pause(folded: int, before: float) -> float:
    """Return how many seconds to pause after a fold. folded: its positions. before: the pause before it."""
    if folded >= FOLD_LIMIT:
        return 0.0
    return PAUSE_SECONDS if folded else min(max(2 * before, PAUSE_SECONDS), IDLE_SECONDS)


async def _repeat_all(works: Iterable[Callable[[], Awaitable[float]]], stop: asyncio.Event) -> None:
    """Repeat each work beside the others until `stop` is set, and then for STOP_SECONDS at most."""
    loops = asyncio.gather(*(_repeat(work, stop) for work in works))
    stopping = asyncio.create_task(stop.wait())
    until: set[asyncio.Future[Any]] = {loops, stopping}
    await asyncio.wait(until, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    try:
        await asyncio.wait_for(loops, STOP_SECONDS)
    except TimeoutError:  # an interrupted transaction changes nothing (R3)
        log.warning("projector stopped before its work was done")


async def _repeat(work: Callable[[], Awaitable[float]], stop: asyncio.Event) -> None:
    """Repeat `work` until `stop` is set. Pause for the seconds that it returns; while it fails, pause ever longer."""
    failures = 0
    while not stop.is_set():
        try:
            pause = await work()
            failures = 0
        except DatabaseError as error:
            failures += 1
            pause = min(PAUSE_SECONDS * 2**failures, _LONGEST_PAUSE)
            log.warning("projector waits", work=work.__name__, error=str(error), failures=failures)
        await _wait(stop, pause)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    if seconds:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return
