"""Verifies each hour soon after it is over, and again after late events, in a small share of the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from projections.archive.kept_hours import KeptHours
from projections.hours import Hour, hour_of, hours_of_shard, live_versions
from projections.verify import UNCHECKED, UNREADABLE, HourProof, verify_hour
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


async def verify_due(
    database: Database, *, clock: datetime | None = None, archive: Path | None = None
) -> list[HourProof]:
    """Verify the most urgent due hour of each shard; return the proofs, an empty list when no hour is due.

    When the witnesses of a shard cannot be read, nothing tells which hours are due: then verify all, once a day.
    archive: where kept hours are, which are due only then.
    """
    live = await live_versions(database)
    with KeptHours(archive) as kept:
        return [await _verify(database, hour, clock, kept) for hour in await _due(database, live, clock)]


async def _due(database: Database, live: Mapping[int, int], clock: datetime | None) -> list[Hour]:
    """Return the most urgent due hour of each shard. live: the version of each shard."""
    try:
        # One query, because most of many shards have no hour due.
        return await _listed(database, live, clock)
    except Unreadable:
        return [hour for shard, version in live.items() for hour in await _of_shard(database, shard, version, clock)]


async def _listed(database: Database, live: Mapping[int, int], clock: datetime | None) -> list[Hour]:
    query = database.statements.list_due_hours
    rows = await database.rows(query, list(live), list(live.values()), PATIENCE, clock, 1)
    return [Hour(row["shard"], row["version"], row["hour"], row["events"]) for row in rows]


async def _of_shard(database: Database, shard: int, version: int, clock: datetime | None) -> list[Hour]:
    try:
        return await _listed(database, {shard: version}, clock)
    except Unreadable:
        return await _not_verified_today(database, shard, version, clock)


async def _not_verified_today(database: Database, shard: int, version: int, clock: datetime | None) -> list[Hour]:
    now: datetime = clock or (await database.only(database.statements.read_clock))["now"]
    rows = await database.rows(database.statements.list_verified, shard, version, now - DAY)
    verified = {row["hour"] for row in rows}
    hours = await hours_of_shard(database, shard, version, None, hour_of(now))
    return [hour for hour in hours if hour.start not in verified]


async def _verify(database: Database, hour: Hour, clock: datetime | None, kept: KeptHours) -> HourProof:
    # A connection that lives for days would otherwise keep plans that it made for a nearly empty log.
    proof = await verify_hour(database, hour, clock=clock, replan=True, kept=kept)
    if proof.state not in RIGHT | {UNCHECKED}:
        told = {"hour": hour.start.isoformat(), "shard": hour.shard, "state": proof.state}
        unreadable = [each.key for each in proof.differences if each.field == UNREADABLE]
        log.error("an hour does not verify", **told, **({"why": unreadable[0]} if unreadable else {}))
    return proof


def pause_after(seconds: float, *, idle: bool) -> float:
    """Return how many seconds to wait after verifying for `seconds`, so that verifying keeps to SHARE of the time."""
    return IDLE_SECONDS if idle else seconds * (1 / SHARE - 1)
