"""Rebuilds everything without downtime, as a new version of the projection beside the live one.

A rebuild fills the new version, folds it, verifies it, and then makes it live by updating one row. The projector keeps
the old version up to date until it is dropped. An interrupted rebuild continues where it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from projections.archive.kept_hours import KeptHours
from projections.hours import Hour, each, list_hours, live_versions
from projections.projector import FOLD_LIMIT
from projections.verify import UNCHECKED, HourProof, verify, verify_hour
from sql.database import Database, Row
from sql.errors import DatabaseError, Unreadable
from sql.hourly import BROKEN, COMPLETE, DAMAGED, PROJECTION, RIGHT

# Hours filled at a time, each on a connection of its own.
AT_A_TIME = 2
# The projector drops a rebuild that has done nothing for this long, because it blocks compaction and retention.
ABANDONED_AFTER = timedelta(days=1)
ROWS_AT_ONCE = 50_000
# How long to wait before the next try when another projector holds a checkpoint.
BUSY_SECONDS = 0.05


class NotSwitched(DatabaseError):
    """No other version was made live; the live one answers reads as before."""


async def begin(database: Database) -> int:
    """Return the version that is being rebuilt. Unless one is under way, drop the old versions and begin a new one."""
    versions = await list_versions(database)
    if all(version["stage"] == COMPLETE for version in versions):
        await drop_old(database)
    row = await database.only(database.statements.begin_version, PROJECTION)
    return int(row["version"])


async def fill(database: Database, version: int, kept: KeptHours | None = None) -> AsyncIterator[Hour]:
    """Fill a version with the hours of the live one; yield each hour that was not filled before.

    Does not check the log against what was appended: `prove` does. kept: reads kept hours. Raises OSError when an hour
    is kept and the archive cannot be used; then the version can be filled later.
    """
    done = {(row["shard"], row["hour"]) for row in await database.rows(database.statements.list_fills, version)}
    hours = [hour for hour in await list_hours(database, None, None) if (hour.shard, hour.start) not in done]
    async for hour, _ in each(hours, partial(_fill_hour, database, version, kept or KeptHours()), at_a_time=AT_A_TIME):
        yield hour


async def _fill_hour(database: Database, version: int, kept: KeptHours, hour: Hour) -> None:
    """Fill one hour. One that cannot be read stays empty; `prove` finds it damaged, and `switch` carries it over."""
    statements = database.statements
    with suppress(Unreadable):
        async with database.transaction() as session:
            await session.only(statements.hold_day, hour.start)
            read = await kept.load(session, hour.shard, hour.start)
            if read is not None and read.wrong:
                return
            await session.only(statements.fill_hourly, hour.shard, version, hour.start, hour.version)


async def prove(database: Database, version: int, kept: KeptHours | None = None) -> AsyncIterator[HourProof]:
    """End the filling, fold the events appended since, and verify every hour of the version. kept: reads kept hours.

    Raises NotSwitched when another process ended the version meanwhile, or the archive cannot be used.
    """
    for shard in await live_versions(database):
        await database.only(database.statements.connect_hourly, shard, version)
        await _catch_up(database, shard, version)
    async for proof in verify(database, await list_hours(database, None, None, version=version), kept):
        if proof.state == UNCHECKED:
            raise NotSwitched(f"version {version} cannot be proven: {proof.why}; run the rebuild again")
        yield proof


async def _catch_up(database: Database, shard: int, version: int) -> None:
    """Fold until the checkpoint is near the head. When another projector holds the checkpoint, wait while it folds.

    Raises NotSwitched when the version was ended meanwhile.
    """
    while True:
        rows = await database.rows(database.statements.fold_hourly, shard, version, FOLD_LIMIT)
        if rows and rows[0]["folded_upto"] - rows[0]["folded_after"] < FOLD_LIMIT:
            return
        if version not in {row["version"] for row in await list_versions(database)}:
            raise NotSwitched(f"version {version} was ended meanwhile; run the rebuild again")
        await asyncio.sleep(0 if rows else BUSY_SECONDS)


async def switch(database: Database, version: int, proofs: list[HourProof], kept: KeptHours | None = None) -> None:
    """Make a proven version live. kept: reads kept hours.

    Hours that no rebuild can mend keep their former rollup: damaged hours, and broken hours that were broken before.
    Raises NotSwitched when an hour is wrong in any other way; the version is dropped, and the next rebuild starts over.
    """
    live = await live_versions(database)
    wrong = [proof for proof in proofs if await _is_worse(database, proof, live[proof.hour.shard], kept)]
    if wrong:
        await _end(database, [version])
        one, are = ("hour", "is") if len(wrong) == 1 else ("hours", "are")
        raise NotSwitched(f"{len(wrong)} {one} of version {version} {are} {wrong[0].state}; it was dropped")
    for shard, former in live.items():
        await _catch_up(database, shard, former)
        await _catch_up(database, shard, version)
    for proof in proofs:
        if proof.state == DAMAGED:
            where = proof.hour.shard, live[proof.hour.shard], version, proof.hour.start
            await database.only(database.statements.carry_hourly, *where)
    await _switch(database, version)


async def _is_worse(database: Database, proof: HourProof, live: int, kept: KeptHours | None) -> bool:
    """Return whether an hour is wrong in a way that forbids the switch.

    A damaged hour does not, and a broken hour only when it is not broken in the live version.
    """
    if proof.state != BROKEN:
        return proof.state not in RIGHT | {DAMAGED}
    return (await verify_hour(database, replace(proof.hour, version=live), kept=kept)).state != BROKEN


async def roll_back(database: Database) -> tuple[int, int]:
    """Make the other complete version live again; return the version that was live and the one that is now.

    Raises NotSwitched when there is no other complete version.
    """
    others = await kept(database)
    if not others:
        raise NotSwitched("there is no other version to go back to")
    former = max((await live_versions(database)).values())
    await _switch(database, others[-1])
    return former, others[-1]


async def _switch(database: Database, version: int) -> None:
    if not (await database.only(database.statements.switch_version, PROJECTION, version))["switched"]:
        raise NotSwitched(f"version {version} is not filled in every shard; version not switched")


async def drop_old(database: Database) -> list[int]:
    """Drop complete versions that are not live, and leftover rows of ended ones; return the versions dropped."""
    return await _end(database, await kept(database))


async def end_abandoned(database: Database, *, clock: datetime | None = None) -> list[int]:
    """Drop versions whose rebuild is abandoned, and leftover rows of ended ones; return the versions dropped."""
    versions = await list_versions(database, clock=clock)
    return await _end(
        database,
        [row["version"] for row in versions if row["stage"] != COMPLETE and row["idle"] > ABANDONED_AFTER],
    )


async def _end(database: Database, versions: list[int]) -> list[int]:
    """End versions that are not live, and delete the rows of every ended version; return the versions ended now."""
    statements = database.statements
    ended = [
        version for version in versions if (await database.only(statements.end_version, PROJECTION, version))["ended"]
    ]
    for left in await database.rows(statements.list_ended_versions, PROJECTION):
        while (await database.only(statements.delete_hourly, left["shard"], left["version"], ROWS_AT_ONCE))["deleted"]:
            pass
    return ended


async def kept(database: Database) -> list[int]:
    """Return the complete versions that are not live, oldest first; `roll_back` makes the last of them live."""
    versions = await list_versions(database)
    return [row["version"] for row in versions if row["stage"] == COMPLETE and not row["live"]]


async def list_versions(database: Database, *, clock: datetime | None = None) -> list[Row]:
    """Return a row per version: version, live, stage, idle (how long its rebuild has done nothing)."""
    return await database.rows(database.statements.list_versions, PROJECTION, clock)
