"""Verifies each hour soon after it is over, and again after late events, in a small share of the time."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from projections.hours import Hour, live_versions
from projections.verify import UNREADABLE, HourProof, verify_hour
from sql.database import Database
from sql.hourly import RIGHT

# The least time between two verifications of one hour, however many late events it gets.
PATIENCE = timedelta(minutes=5)
# The largest share of the time that is spent verifying.
SHARE = 0.05
# How long to wait when no hour is due.
IDLE_SECONDS = 5.0

log = structlog.get_logger(__name__)


async def verify_due(database: Database, *, clock: datetime | None = None) -> list[HourProof]:
    """Verify the most urgent due hour of each shard; return the proofs, an empty list when no hour is due."""
    proofs = []
    for shard, version in (await live_versions(database)).items():
        rows = await database.rows(database.statements.list_due_hours, shard, version, PATIENCE, clock, 1)
        proofs += [await _verify(database, Hour(shard, version, row["hour"], row["events"]), clock) for row in rows]
    return proofs


async def _verify(database: Database, hour: Hour, clock: datetime | None) -> HourProof:
    # A connection that lives for days would otherwise keep plans that it made for a nearly empty log.
    proof = await verify_hour(database, hour, clock=clock, replan=True)
    if proof.state not in RIGHT:
        told = {"hour": hour.start.isoformat(), "shard": hour.shard, "state": proof.state}
        unreadable = [each.key for each in proof.differences if each.field == UNREADABLE]
        log.error("an hour does not verify", **told, **({"why": unreadable[0]} if unreadable else {}))
    return proof


def pause_after(seconds: float, *, idle: bool) -> float:
    """Return how many seconds to wait after verifying for `seconds`, so that verifying keeps to SHARE of the time."""
    return IDLE_SECONDS if idle else seconds * (1 / SHARE - 1)
