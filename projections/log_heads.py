"""How far each shard's log reaches and what it holds, to be kept elsewhere, and what a log has lost since a copy.

A server that comes back without the end of its write-ahead log is consistent in itself: only a copy that did not go
back with it can tell what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from projections.acceptance import list_accepted
from projections.archive.kept_hours import KeptHours
from projections.hours import Hour, Witness, hour_of, live_versions
from projections.seals import SealHead, missing_heads, seal_heads
from sql.database import Database, Row
from sql.digest import digest_text
from sql.errors import DatabaseError, Unreadable

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class NewestEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The event with the greatest position. digest: SHA-256 in hex."""

    position: Count
    at: Moment
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class LogHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a shard's log held at one moment.

    database: when the database was begun, which tells databases apart. position: the head. stored: events. retired:
    events that were dropped for good, because those of a detached day may come back.
    hours: number and digest of the events appended to each hour that still took events. links: of the shard's chain of
    seals and amendments; copies of older releases lack it.
    """

    database: Moment
    shard: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    at: Moment
    position: Count
    stored: Count
    retired: Count
    newest: NewestEvent | None
    seal: SealHead | None
    hours: dict[Moment, tuple[Count, Digest]]
    links: Count = 0

    @property
    def link(self) -> int:
        """The place in the chain of the newest link that it knows. An amendment may come behind the newest seal."""
        return max(self.links, self.seal.sequence if self.seal else 0)


@dataclass(frozen=True, slots=True)
class Loss:
    """One value of a shard that the log had by the copy, and has no longer.

    field: position (the head), stored, links (of the chain), newest (the position of an event that is gone or
    another), seal (its place in the chain), or head, when the log cannot be read. now: what is there instead; None when
    nothing is.
    """

    head: LogHead
    field: str
    known: int
    now: int | None


class AnotherDatabase(DatabaseError):
    """A copy is of another database."""


async def log_heads(database: Database) -> list[LogHead]:
    """Return the head of each shard."""
    begun = await _begun(database)
    seals = {seal.shard: seal for seal in await seal_heads(database)}
    shards = await database.rows(database.statements.list_shards)
    return [await _log_head(database, begun, row["shard"], seals.get(row["shard"])) for row in shards]


async def _begun(database: Database) -> datetime:
    begun: datetime = (await database.only(database.statements.read_origin))["begun"]
    return begun


async def check_origin(database: Database, copy: list[LogHead]) -> None:
    """Raise AnotherDatabase unless a copy is of this database."""
    begun = await _begun(database)
    for head in copy:
        if head.database != begun:
            raise AnotherDatabase(
                f"the copy of {head.at:%Y-%m-%dT%H:%M:%SZ} is of another database: that one was begun at"
                f" {head.database}, and this one at {begun}"
            )


async def _log_head(database: Database, begun: datetime, shard: int, seal: SealHead | None) -> LogHead:
    async with database.snapshot() as session:
        row = await session.only(database.statements.read_log_head, shard)
        hours = await session.rows(database.statements.list_appended, shard, None)
    newest = None
    if row["newest_position"] is not None:
        newest = NewestEvent(row["newest_position"], row["newest_at"], row["newest_digest"])
    counts = (row["position"], row["stored"], row["retired"])
    return LogHead(begun, shard, row["now"], *counts, newest, seal, _by_hour(hours), row["links"])


def _by_hour(rows: list[Row]) -> dict[datetime, tuple[int, str]]:
    return {row["hour"]: (row["events"], digest_text(row["digest_high"], row["digest_low"])) for row in rows}


async def losses(database: Database, copy: list[LogHead], kept: KeptHours | None = None) -> list[Loss]:
    """Return what the log had when the copy was made, and has no longer; hours apart, see `changed_hours`.

    kept: reads kept hours. Raises OSError when the newest event of the copy is in one and the archive cannot be used.
    """
    if not copy:
        return []
    try:
        now = {head.shard: head for head in await log_heads(database)}
        return [loss for head in copy for loss in await _losses(database, head, now.get(head.shard), kept)]
    except Unreadable:
        return [Loss(head, "head", head.position, None) for head in copy]


async def _losses(database: Database, head: LogHead, now: LogHead | None, kept: KeptHours | None) -> list[Loss]:
    if now is None:
        return [Loss(head, "position", head.position, None)]
    # Fewer retired events are no loss, because a day can be brought back; stored = live + retired proves those.
    # By places in the chain: `now` is a snapshot, and knows an amendment exactly when it counts its link.
    accepted = [each for each in await list_accepted(database, [head.shard]) if head.link < each.link <= now.link]
    stored = now.stored - sum(each.of_total for each in accepted)
    numbers = {
        "position": (head.position, now.position),
        "stored": (head.stored, stored),
        "links": (head.links, now.links),
    }
    found = [Loss(head, name, known, there) for name, (known, there) in numbers.items() if there < known]
    newest = head.newest
    if newest is not None and head.position <= now.position and not await _is_there(database, head, newest, kept):
        found.append(Loss(head, "newest", newest.position, None))
    seals = [] if head.seal is None else await missing_heads(database, [head.seal])
    return found + [Loss(head, "seal", seal.sequence, None) for seal in seals]


async def _is_there(database: Database, head: LogHead, event: NewestEvent, kept: KeptHours | None) -> bool:
    """Return whether an event is in the log or in its day's file. Of one that is gone or erased nothing can tell."""
    shard = head.shard
    row = await database.only(database.statements.read_event, shard, event.position, event.at)
    if row["digest"] == event.digest:
        return True
    changes = database.statements.count_changes_since
    if (await database.only(changes, shard, hour_of(event.at), head.link))["amendments"]:
        return True  # it may have been erased, or its loss accepted
    if not row["retired"]:
        return False
    kept = kept or KeptHours()
    async with database.transaction() as session:
        hour = await kept.read(session, shard, hour_of(event.at))
        if hour is None:
            return True
        return hour.wrong is None and event.digest.startswith(await kept.half_digest(hour, event.position, event.at))


async def witnessed(database: Database, copy: list[LogHead], hours: list[Hour]) -> list[Hour]:
    """Return hours with what a copy knows of each; add the hours that only the copy knows. By shard, oldest first."""
    versions = await live_versions(database)
    found = {(hour.shard, hour.start): hour for hour in hours}
    for head in copy:
        for start, (events, digest) in head.hours.items():
            if head.shard in versions:
                known = found.get((head.shard, start)) or Hour(head.shard, versions[head.shard], start, 0)
                witness = Witness(head.at, head.position, events, digest, head.link)
                found[head.shard, start] = replace(known, witness=witness)
    return [found[place] for place in sorted(found)]


async def changed_hours(database: Database, copy: list[LogHead]) -> list[Hour]:
    """Return the hours of a copy to which something else was appended than the copy says; verify tells what it is."""
    now: dict[tuple[int, datetime], tuple[int, str]] = {}
    for head in copy:
        since = min(head.hours, default=None)
        rows = await database.rows(database.statements.list_appended, head.shard, since)
        now |= {(head.shard, start): known for start, known in _by_hour(rows).items()}
    return [
        hour
        for hour in await witnessed(database, copy, [])
        if hour.witness and now.get((hour.shard, hour.start)) != (hour.witness.events, hour.witness.digest)
    ]
