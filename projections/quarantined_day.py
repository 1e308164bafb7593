"""One day of a shard on which a quarantine comes into force or goes: one transaction, which also rebuilds its hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from projections.archive import steps
from projections.archive.kept_hours import KeptHours
from projections.restoring import bounds
from projections.verify import judge
from sql import VERSION
from sql.database import Database, Row, Session
from sql.errors import DatabaseError
from sql.hourly import PROJECTION, RIGHT

KIND = "quarantine"
# Where a day stands when the archive's files are its events, and why it cannot be changed where it stands elsewhere.
KEPT, GONE = "kept", "gone"
WHY_NOT = {
    "opened": "it takes history now: run it again when the import has ended",
    "detached": "its events have left the log: run it again when undrop has brought them back, or they are gone",
    "leaving": "its events are leaving the archive: run it again when undrop has brought them back, or they are gone",
    GONE: "its events are gone, and only its rollups are there",
}


class NotNow(DatabaseError):
    """Nothing can be rebuilt at the moment."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a day. asked_by: who asked for it."""

    number: int
    shard: int
    day: date
    range: tuple[datetime, datetime]
    puts: bool
    reason: str
    asked_by: str


class Hindered(Exception):
    """A day cannot be changed. Undoes the transaction."""


class Days:
    """Changes days, each in a transaction of the caller's. The arguments are those of Quarantines."""

    def __init__(self, database: Database, kept: KeptHours, clock: datetime | None) -> None:
        self._database = database
        self._kept = kept
        self._clock = clock

    async def change(self, session: Session, change: Change) -> int:
        """Change a day and rebuild its hours; return how many events the numbers lost or got back."""
        statements = self._database.statements
        await session.only(statements.hold_day, bounds(change.day)[0])
        # Verifications and rebuilds of a kept day hold this, too, from the count of its files to their end.
        await session.rows(statements.hold_kept_day, change.day)
        # What takes long comes before the lock that projectors wait for.
        known = await self._hours(session, change)
        for hour in known:
            await self._check(session, change, hour)
        versions = await session.rows(statements.hold_checkpoints, change.shard, PROJECTION)
        (live,) = (row["version"] for row in versions if row["live"])
        hours = await self._hours(session, change)
        checked = {hour["hour"] for hour in known}
        for hour in hours:
            if hour["hour"] not in checked:
                await self._check(session, change, hour)
        since, until = bounds(change.day)
        before = await session.only(statements.count_folded, change.shard, live, since, until)
        query = statements.put_quarantined_day if change.puts else statements.lift_quarantined_day
        await session.rows(query, change.shard, change.day, change.number)
        steps.reached(steps.FORCE_CHANGED)
        await self._rebuild(session, change, hours, [live, *(row["version"] for row in versions if not row["live"])])
        after = await session.only(statements.count_folded, change.shard, live, since, until)
        return abs(int(before["events"] - after["events"]))

    async def _hours(self, session: Session, change: Change) -> list[Row]:
        """Return the hours to rebuild. Raises Hindered, NotNow."""
        query = self._database.statements.read_quarantine_day
        rows = await session.rows(query, change.shard, change.day, *change.range)
        hours = [row for row in rows if row["hour"] is not None]
        if rows[0]["is_filling"]:
            raise NotNow("a rebuild is under way: run it again when that has ended")
        if rows[0]["state"] in WHY_NOT and (hours or rows[0]["state"] == "opened"):
            raise Hindered(WHY_NOT[rows[0]["state"]])
        return hours

    async def _check(self, session: Session, change: Change, hour: Row) -> None:
        """Raise Hindered when the events of an hour are not what was appended: a rebuild would hide that (R5)."""
        if hour["state"] == KEPT:
            read = await self._kept.read(session, change.shard, hour["hour"])
            right = read is not None and read.wrong is None
        else:
            check = await session.only(self._database.statements.check_log, change.shard, hour["hour"])
            right = check["intact"]
        if not right:
            raise Hindered(f"its hour {hour['hour']:%H:%M} is damaged; see make verify")

    async def _rebuild(self, session: Session, change: Change, hours: Sequence[Row], versions: Sequence[int]) -> None:
        """Rebuild hours in versions, the live one first, and seal those anew that were sealed."""
        statements = self._database.statements
        resealed: list[datetime] = []
        for hour in hours:
            if hour["state"] == KEPT:
                await self._kept.load(session, change.shard, hour["hour"])
            written = 0
            for version in versions:
                where = change.shard, version, hour["hour"]
                row = await session.only(statements.rebuild_hourly, *where)
                written += row["rows_written"]
                await session.rows(statements.forget_drift, change.shard, PROJECTION, version, hour["hour"])
            if written and hour["is_sealed"]:
                resealed.append(hour["hour"])
            steps.reached(steps.HOUR_REBUILT)
        if not resealed:
            return
        live = versions[0]
        why = KIND, change.reason, change.asked_by, VERSION, self._clock
        await session.rows(statements.reseal_hours, change.shard, live, change.day, resealed, *why)
        for start in resealed:
            state, _ = judge(await session.rows(statements.verify_hourly, change.shard, live, start))
            if state not in RIGHT:
                raise Hindered(f"its hour {start:%H:%M} is {state}; see make verify")

    async def left_out(self, session: Session, change: Change) -> int:
        """Return how many more events of a day a quarantine leaves out that is not in force.

        Puts it in force without a rebuild, so the transaction must be undone. Raises Hindered, NotNow.
        """
        await session.only(self._database.statements.hold_day, bounds(change.day)[0])
        hours = await self._hours(session, change)
        before = sum([await self._left_out(session, change, hour) for hour in hours if hour["state"] != KEPT])
        query = self._database.statements.put_quarantined_day
        await session.rows(query, change.shard, change.day, change.number)
        after = sum([await self._left_out(session, change, hour) for hour in hours])
        return after - before

    async def _left_out(self, session: Session, change: Change, hour: Row) -> int:
        statements = self._database.statements
        query = statements.count_quarantined
        if hour["state"] == KEPT:
            await self._check(session, change, hour)
            await self._kept.load(session, change.shard, hour["hour"])
            query = statements.count_quarantined_in_file
        return int((await session.only(query, change.shard, hour["hour"]))["events"])
