"""Verifies each hour soon after it is over, and again after late events, in a small share of the time."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from projections.hours import Hour, hours_of_shard, live_versions
from projections.verify import UNREADABLE, HourProof, verify_hour
from sql.database import Database
from sql.errors import Unreadable
from sql.hourly import RIGHT

# The least time between two verifications of one hour, however many late events it gets.
PATIENCE = timedelta(minutes=5)
# The largest share of the time that is spent verifying.
SHARE = 0.05
# How long to wait when no hour is due.
IDLE_SECONDS = 5.0
DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


async def verify_due(database: Database, *, clock: datetime | None = None) -> list[HourProof]:
    """Verify the most urgent due hour of each shard; return the proofs, an empty list when no hour is due.

    When the witnesses of a shard cannot be read, nothing tells which hours are due: then verify all, once a day.
    """
    proofs = []
    for shard, version in (await live_versions(database)).items():
        try:
            rows = await database.rows(database.statements.list_due_hours, shard, version, PATIENCE, clock, 1)
            hours = [Hour(shard, version, row["hour"], row["events"]) for row in rows]
        except Unreadable:
            hours = await _not_verified_today(database, shard, version, clock)
        proofs += [await _verify(database, hour, clock) for hour in hours]
    return proofs


async def _not_verified_today(database: Database, shard: int, version: int, clock: datetime | None) -> list[Hour]:
    now: datetime = clock or (await database.only(database.statements.read_clock))["now"]
    rows = await database.rows(database.statements.list_verified, shard, version, now - DAY)
    verified = {row["hour"] for row in rows}
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    hours = await hours_of_shard(database, shard, version, None, this_hour)
    return [hour for hour in hours if hour.start not in verified]


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
