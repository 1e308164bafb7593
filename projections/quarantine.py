"""Quarantines: takes events out of all numbers, and brings them back, while the log stays as it is (R4).

A quarantine is in force by shard and UTC day. One transaction puts it in force for a day and rebuilds the hours that it
touches, so no verification ever finds a wrong hour. A run that was interrupted left whole days behind, and the next one
goes on. Hours that are sealed get an amendment and new seals, because their numbers change (R11).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from projections.archive import steps
from projections.archive.kept_hours import KeptHours
from projections.restoring import bounds
from projections.verify import judge
from sql import VERSION
from sql.database import Database, Row, Session
from sql.errors import DatabaseError, Unreadable
from sql.hourly import PROJECTION, RIGHT

KIND = "quarantine"
# Where a day stands when the archive's files are its events, and why it cannot be changed where it stands elsewhere.
KEPT = "kept"
WHY_NOT = {
    "opened": "it takes history now: run it again when the import has ended",
    "detached": "its events have left the log, and only its rollups stay",
    "leaving": "its events are leaving the archive, and only its rollups stay",
    "gone": "its events are gone, and only its rollups are there",
}


class NotNow(DatabaseError):
    """Nothing can be rebuilt at the moment."""


class UnknownQuarantine(DatabaseError):
    """There is no quarantine of this number, or it is lifted."""


class Definition(msgspec.Struct, forbid_unknown_fields=True):
    """What a quarantine leaves out; the fields are columns of the table quarantines."""

    shards: list[int]
    since: datetime
    until: datetime
    condition: str
    conditions: msgspec.Raw
    of_fields: str | None
    of_properties: str | None
    operands: msgspec.Raw
    reason: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class DayChanged:
    """A day of a shard. hindrance: why it stays as it was, None when it did not. events: how many went or came back."""

    shard: int
    day: date
    hindrance: str | None = None
    events: int = 0


@dataclass(frozen=True, slots=True)
class _Change:
    """What is done to a day. asked_by: who asked for it."""

    number: int
    shard: int
    day: date
    range: tuple[datetime, datetime]
    puts: bool
    reason: str
    asked_by: str


class _Hindered(Exception):
    """A day cannot be changed. Undoes the transaction."""


class _Undone(Exception):
    """The answer is known. Undoes the transaction."""


class Quarantines:
    """Puts and lifts quarantines. kept: reads the files of kept days. clock: of amendments; None: the database's."""

    def __init__(self, database: Database, kept: KeptHours, clock: datetime | None = None) -> None:
        self._database = database
        self._kept = kept
        self._clock = clock

    async def begin(self, definition: Definition) -> int:
        """Record a definition, and return its number: that of the same quarantine when it is there already."""
        row = await self._database.only(self._database.statements.begin_quarantine, *_columns(definition))
        return int(row["number"])

    async def put(self, number: int, asked_by: str) -> AsyncIterator[DayChanged]:
        """Put a quarantine in force on all days where it is not; yield each.

        Raises NotNow, UnknownQuarantine, OSError when the archive cannot be used, and sql.errors.DatabaseError.
        """
        found = await self._definition(number)
        reason = f"quarantine {number}: {found['reason']}"
        for row in await self._days(number, in_force=False):
            yield await self._changed(_change(found, row, reason, asked_by, puts=True))

    async def lift(self, number: int, asked_by: str) -> AsyncIterator[DayChanged]:
        """Take a quarantine out of force on all days where it is in force; yield each. Raises what `put` does."""
        found = await self._definition(number)
        reason = f"quarantine {number} lifted: {found['reason']}"
        stays = False
        for row in await self._days(number, in_force=True):
            changed = await self._changed(_change(found, row, reason, asked_by, puts=False))
            stays |= changed.hindrance is not None and changed.hindrance not in _FOR_EVER
            yield changed
        if not stays:
            await self._database.rows(self._database.statements.end_quarantine, number)

    async def tried(self, definition: Definition) -> AsyncIterator[DayChanged]:
        """Yield each day that a quarantine would change, with the events that it would leave out. Change nothing."""
        days: list[Row] = []
        with suppress(_Undone):
            async with self._database.transaction() as session:
                days += await self._tried_days(session, definition)
                raise _Undone
        for row in days:
            counted = 0
            try:
                with suppress(_Undone):
                    async with self._database.transaction() as session:
                        counted = await self._counted(session, definition, row)
                        raise _Undone
            except (_Hindered, Unreadable) as error:
                yield DayChanged(row["shard"], row["day"], str(error))
            else:
                yield DayChanged(row["shard"], row["day"], events=counted)

    async def _definition(self, number: int) -> Row:
        rows = await self._database.rows(self._database.statements.read_quarantine, number)
        if not rows:
            raise UnknownQuarantine(f"there is no quarantine {number}; --list tells which there are")
        if rows[0]["lifted_at"] is not None:
            raise UnknownQuarantine(f"quarantine {number} was lifted at {rows[0]['lifted_at']:%Y-%m-%d %H:%MZ}")
        return rows[0]

    async def _days(self, number: int, *, in_force: bool) -> list[Row]:
        rows = await self._database.rows(self._database.statements.list_quarantine_days, number)
        return [row for row in rows if row["is_in_force"] is in_force]

    async def _changed(self, change: _Change) -> DayChanged:
        try:
            async with self._database.transaction() as session:
                events = await self._change(session, change)
        except (_Hindered, Unreadable) as error:
            return DayChanged(change.shard, change.day, str(error))
        steps.reached(steps.DAY_CHANGED)
        return DayChanged(change.shard, change.day, events=events)

    async def _change(self, session: Session, change: _Change) -> int:
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

    async def _hours(self, session: Session, change: _Change) -> list[Row]:
        """Return the hours to rebuild. Raises _Hindered, NotNow."""
        query = self._database.statements.read_quarantine_day
        rows = await session.rows(query, change.shard, change.day, *change.range)
        hours = [row for row in rows if row["hour"] is not None]
        if rows[0]["is_filling"]:
            raise NotNow("a rebuild is under way: run it again when that has ended")
        if rows[0]["state"] in WHY_NOT and (hours or rows[0]["state"] == "opened"):
            raise _Hindered(WHY_NOT[rows[0]["state"]])
        return hours

    async def _check(self, session: Session, change: _Change, hour: Row) -> None:
        """Raise _Hindered when the events of an hour are not what was appended: a rebuild would hide that (R5)."""
        if hour["state"] == KEPT:
            read = await self._kept.read(session, change.shard, hour["hour"])
            right = read is not None and read.wrong is None
        else:
            check = await session.only(self._database.statements.check_log, change.shard, hour["hour"])
            right = check["intact"]
        if not right:
            raise _Hindered(f"its hour {hour['hour']:%H:%M} is damaged; see make verify")

    async def _rebuild(self, session: Session, change: _Change, hours: Sequence[Row], versions: Sequence[int]) -> None:
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
                raise _Hindered(f"its hour {start:%H:%M} is {state}; see make verify")

    async def _tried_days(self, session: Session, definition: Definition) -> list[Row]:
        """Return the days that a quarantine would change, in a transaction to be undone."""
        statements = self._database.statements
        begun = await session.only(statements.begin_quarantine, *_columns(definition))
        rows = await session.rows(statements.list_quarantine_days, begun["number"])
        return [row for row in rows if not row["is_in_force"]]

    async def _counted(self, session: Session, definition: Definition, row: Row) -> int:
        """Return how many more events of a day a quarantine would leave out, in a transaction to be undone."""
        statements = self._database.statements
        number = (await session.only(statements.begin_quarantine, *_columns(definition)))["number"]
        span = definition.since, definition.until
        change = _Change(number, row["shard"], row["day"], span, puts=True, reason="", asked_by="")
        await session.only(statements.hold_day, bounds(change.day)[0])
        hours = await self._hours(session, change)
        before = sum([await self._left_out(session, change, hour) for hour in hours if hour["state"] != KEPT])
        await session.rows(statements.put_quarantined_day, change.shard, change.day, number)
        after = sum([await self._left_out(session, change, hour) for hour in hours])
        return after - before

    async def _left_out(self, session: Session, change: _Change, hour: Row) -> int:
        statements = self._database.statements
        query = statements.count_quarantined
        if hour["state"] == KEPT:
            await self._check(session, change, hour)
            await self._kept.load(session, change.shard, hour["hour"])
            query = statements.count_quarantined_in_file
        return int((await session.only(query, change.shard, hour["hour"]))["events"])


# Hindrances that do not pass.
_FOR_EVER = frozenset(WHY_NOT[state] for state in ("gone", "leaving", "detached"))


def _columns(definition: Definition) -> tuple[object, ...]:
    """Return the arguments of begin_quarantine."""
    return (
        sorted(definition.shards),
        *(definition.since, definition.until, definition.condition, bytes(definition.conditions).decode()),
        *(definition.of_fields, definition.of_properties, bytes(definition.operands).decode()),
        *(definition.reason, definition.asked_by),
    )


def _change(found: Row, row: Row, reason: str, asked_by: str, *, puts: bool) -> _Change:
    span = found["since"], found["until"]
    return _Change(found["number"], row["shard"], row["day"], span, puts=puts, reason=reason, asked_by=asked_by)
