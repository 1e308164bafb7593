"""The witness: a file elsewhere that the projector writes the heads of the log to, and that verify reads.

It does not go back when the database does: after a restored snapshot, or a disk that lied about what it wrote. It is
never replaced by less than it says, so the evidence of a loss stays until an operator takes it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from projections.archive.kept_hours import KeptHours
from projections.copies import read_copy
from projections.log_heads import AnotherDatabase, LogHead, Loss, changed_hours, check_origin, log_heads, losses
from projections.verify import verify_hour
from sql.database import Database
from sql.durable import replace
from sql.hourly import DAMAGED

NAME = "hourledger-witness.ndjson"
WITNESS_SECONDS = 60.0

log = structlog.get_logger(__name__)


class WitnessError(Exception):
    """The witness cannot be read or written, or is no witness of this database. The message names the file."""


def witness_file(place: Path) -> Path:
    """Return the file of a place, which is that file or its folder."""
    return place / NAME if place.is_dir() else place


async def read_witness(database: Database, place: Path) -> list[LogHead]:
    """Return the heads that the witness knows; none when there is no witness yet. Raises WitnessError."""
    file = witness_file(place)
    try:
        known = await asyncio.to_thread(_read, file)
        await check_origin(database, known)
    except (OSError, msgspec.DecodeError, AnotherDatabase) as error:
        raise WitnessError(f"the witness {file} cannot be used: {error}") from error
    return known


def _read(file: Path) -> list[LogHead]:
    try:
        with file.open("rb") as lines:
            return read_copy(lines, LogHead)
    except FileNotFoundError:
        return []


def witness_keeper(
    database: Database, place: Path | None, archive: Path | None = None
) -> Callable[[], Awaitable[float]]:
    """Return the work that tells the witness, if there is one, and returns how many seconds to wait after that."""

    async def witness() -> float:
        try:
            if place is not None:
                await tell_witness(database, place, archive)
        except WitnessError as error:
            log.error("the witness is not written", error=str(error))  # noqa: TRY400  # the error says enough
        return WITNESS_SECONDS

    return witness


async def tell_witness(database: Database, place: Path, archive: Path | None = None) -> bool:
    """Write the heads of the log to the witness; return false when the log has lost what the witness knows.

    Then the witness stays as it is, and the hours that lost events are recorded as damaged. archive: where the events
    of kept days are. Raises WitnessError.
    """
    # The witness is read before the log, so that whatever another projector writes meanwhile is no loss.
    known = await read_witness(database, place)
    with KeptHours(archive) as kept:
        try:
            lost = await losses(database, known, kept)
        except OSError as error:
            raise WitnessError(f"the witness {witness_file(place)} cannot be compared: {error}") from error
        if lost:
            await _tell(database, known, lost, kept)
            return False
    await _write(place, await log_heads(database))
    return True


async def _tell(database: Database, known: list[LogHead], lost: list[Loss], kept: KeptHours) -> None:
    for loss in lost:
        log.error(
            "the log has lost what the witness knows",
            shard=loss.head.shard,
            what=loss.field,
            known=loss.known,
            now=loss.now,
            witnessed=f"{loss.head.at:%Y-%m-%dT%H:%M:%SZ}",
        )
    proofs = [await verify_hour(database, hour, kept=kept) for hour in await changed_hours(database, known)]
    hours = [proof.hour.start.isoformat() for proof in proofs if proof.state == DAMAGED]
    log.error("hours that lost events are damaged; make verify names the events", hours=len(hours), first=hours[:10])


async def _write(place: Path, heads: list[LogHead]) -> None:
    file = witness_file(place)
    lines = b"".join(msgspec.json.encode(head) + b"\n" for head in heads)
    try:
        await asyncio.to_thread(replace, file, lines)
    except OSError as error:
        raise WitnessError(f"the witness {file} cannot be written: {error}") from error
