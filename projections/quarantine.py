"""Quarantines: takes events out of all numbers, and brings them back, while the log stays as it is (R4).

A quarantine is in force by shard and UTC day. One transaction puts it in force for a day and rebuilds the hours that it
touches, so no verification ever finds a wrong hour. A run that was interrupted left whole days behind, and the next one
goes on. Hours that are sealed get an amendment and new seals, because their numbers change (R11).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from projections.archive import steps
from projections.archive.kept_hours import KeptHours
from projections.quarantined_day import GONE, WHY_NOT, Change, Days, Hindered
from sql.database import Database, Row, Session
from sql.errors import DatabaseError, Unreadable
from sql.hourly import PROJECTION


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


class _Undone(Exception):
    """The answer is known. Undoes the transaction."""


class Quarantines:
    """Puts and lifts quarantines. kept: reads the files of kept days. clock: of amendments; None: the database's."""

    def __init__(self, database: Database, kept: KeptHours, clock: datetime | None = None) -> None:
        self._database = database
        self._days_of = Days(database, kept, clock)

    async def begin(self, definition: Definition) -> int:
        """Record a definition, and return its number: that of the same quarantine when it is there already."""
        async with self._database.transaction() as session:
            await self._keep_days_shut(session, definition.shards)
            row = await session.only(self._database.statements.begin_quarantine, *_columns(definition))
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
        tried: set[tuple[int, date]] = set()
        while True:
            for row in await self._days(number, in_force=True):
                if _place(row) not in tried:
                    tried.add(_place(row))
                    changed = await self._changed(_change(found, row, reason, asked_by, puts=False))
                    stays |= changed.hindrance not in (None, WHY_NOT[GONE])  # any other passes
                    yield changed
            if stays or await self._ended(found, tried):
                return

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
                        counted = await self._tried(session, definition, row)
                        raise _Undone
            except (Hindered, Unreadable) as error:
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

    async def _keep_days_shut(self, session: Session, shards: list[int]) -> None:
        """Keep days of shards from being opened until the transaction ends: open_day puts quarantines in force, too."""
        for shard in sorted(shards):
            await session.rows(self._database.statements.hold_checkpoints, shard, PROJECTION)

    async def _ended(self, found: Row, tried: set[tuple[int, date]]) -> bool:
        """Record that a quarantine is lifted, unless it came into force on another day meanwhile; tell which."""
        statements = self._database.statements
        async with self._database.transaction() as session:
            await self._keep_days_shut(session, found["shards"])
            days = await session.rows(statements.list_quarantine_days, found["number"])
            if any(row["is_in_force"] and _place(row) not in tried for row in days):
                return False
            await session.rows(statements.end_quarantine, found["number"])
        return True

    async def _days(self, number: int, *, in_force: bool) -> list[Row]:
        rows = await self._database.rows(self._database.statements.list_quarantine_days, number)
        return [row for row in rows if row["is_in_force"] is in_force]

    async def _changed(self, change: Change) -> DayChanged:
        try:
            async with self._database.transaction() as session:
                events = await self._days_of.change(session, change)
        except (Hindered, Unreadable) as error:
            return DayChanged(change.shard, change.day, str(error))
        steps.reached(steps.DAY_CHANGED)
        return DayChanged(change.shard, change.day, events=events)

    async def _tried(self, session: Session, definition: Definition, row: Row) -> int:
        """Return how many more events of a day a quarantine would leave out, in a transaction to be undone."""
        begun = await session.only(self._database.statements.begin_quarantine, *_columns(definition))
        span = definition.since, definition.until
        change = Change(begun["number"], row["shard"], row["day"], span, puts=True, reason="", asked_by="")
        return await self._days_of.left_out(session, change)

    async def _tried_days(self, session: Session, definition: Definition) -> list[Row]:
        """Return the days that a quarantine would change, in a transaction to be undone."""
        statements = self._database.statements
        begun = await session.only(statements.begin_quarantine, *_columns(definition))
        rows = await session.rows(statements.list_quarantine_days, begun["number"])
        return [row for row in rows if not row["is_in_force"]]


def _place(row: Row) -> tuple[int, date]:
    return row["shard"], row["day"]


def _columns(definition: Definition) -> tuple[object, ...]:
    """Return the arguments of begin_quarantine."""
    return (
        sorted(definition.shards),
        *(definition.since, definition.until, definition.condition, bytes(definition.conditions).decode()),
        *(definition.of_fields, definition.of_properties, bytes(definition.operands).decode()),
        *(definition.reason, definition.asked_by),
    )


def _change(found: Row, row: Row, reason: str, asked_by: str, *, puts: bool) -> Change:
    span = found["since"], found["until"]
    return Change(found["number"], row["shard"], row["day"], span, puts=puts, reason=reason, asked_by=asked_by)
