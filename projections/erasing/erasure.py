"""Erases a person: each day of a shard in one transaction (R11); then rollups, saved filters, dead rows and old files.

Only rows of the log are erased. A day that has left the log is opened like one that takes history, and closed again:
its file is then written anew, and an amendment stands before its new seals. Every step may be the last one of its
process; a later run of the same erasure goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from projections.archive.cleaning import clean
from projections.archive.kept_hours import KeptHours
from projections.erasing.finding import IN_THE_LOG, LEAVING, Person, Place, find
from projections.erasing.saved_filters import saved_filters
from projections.erasing.subject import USER, Subject
from projections.history import History, NotClosed, NotNow
from projections.hours import Hour, each, live_versions
from projections.projector import catch_up
from projections.retention import step
from projections.verify import AT_A_TIME, verify_hour
from sql import VERSION
from sql.database import Database, Row
from sql.errors import DatabaseError
from sql.hourly import DRIFTED, RIGHT

# A person who is still active appends while the erasure runs; so much is enough for what was there when it began.
ROUNDS = 3
NOT_FOLDED = "not folded"
_TRIES = 20
AT_ONCE = timedelta(0)

log = structlog.get_logger(__name__)


class Refused(DatabaseError):
    """An erasure cannot go on as it was asked for."""


@dataclass
class Outcome:
    """What a run did. waits: what is left for another run, and why."""

    erasure: int
    waits: dict[str, str] = field(default_factory=dict)


@dataclass
class Erasing:
    """Erases one person of a site.

    shards: those of the site. named: of sessions that name other users, too, only the user's own events go.
    keep_counts: a stranger takes the person's place. history: opens and closes days. vacuums: False leaves dead rows to
    autovacuum.
    """

    database: Database
    archive: Path
    history: History
    site: int
    shards: Sequence[int]
    subject: Subject
    named: bool = False
    keep_counts: bool = False
    vacuums: bool = True

    @property
    def _clock(self) -> datetime | None:
        return self.history.reading.database if self.history.reading else None

    async def look(self, known: Iterable[str] = (), unread: dict[date, str] | None = None) -> Person:
        """Find what would be erased; see `finding.find`. Raises OSError and sql.errors.DatabaseError."""
        place = self.database, self.archive, self.shards, self.subject
        return await find(*place, named=self.named, known=frozenset(known), unread=unread)

    async def run(self, hashed: bytes) -> Outcome:
        """Erase all that can be erased now. hashed: the subject by the key of erasures.

        Raises Refused, projections.history.NotNow and NotClosed, OSError, and sql.errors.DatabaseError.
        """
        outcome = Outcome(await self._begin(hashed))
        for day in await self.history.left():
            await self.history.close(day)
        await self._erase_events(outcome)
        for shard, version in (await live_versions(self.database)).items():
            if shard in self.shards:
                query = self.database.statements.rename_members
                row = await step(self.database, query, outcome.erasure, shard, version, VERSION, self._clock)
                if row["hindrance"] is not None:
                    outcome.waits[f"rollups of shard {shard}"] = row["hindrance"]
        saved = await saved_filters(self.database, self.site, [id_ for _, id_ in await self.ids(outcome.erasure)])
        await saved.delete(self.database, outcome.erasure)
        await self._tidy(outcome)
        await self._verify(outcome)
        return outcome

    async def _begin(self, hashed: bytes) -> int:
        asked = "keep counts" if self.keep_counts else "delete", "named" if self.named else "all"
        query = self.database.statements.begin_erasure
        row = await self.database.only(query, self.site, self.subject.kind, hashed, *asked, self._clock)
        if (row["mode"], row["sessions"]) != asked:
            raise Refused(
                f"erasure {row['erasure']} of this {self.subject.kind} was begun with other options"
                f" ({row['mode']}, sessions: {row['sessions']}): run it again with those"
            )
        erasure: int = row["erasure"]
        await self._add(erasure, [self.subject.kind], [self.subject.id])
        return erasure

    async def _add(self, erasure: int, kinds: list[str], ids: list[str]) -> None:
        await self.database.rows(self.database.statements.add_erasing, erasure, kinds, ids)

    async def ids(self, erasure: int) -> list[tuple[str, str]]:
        """Return the kinds and ids that an erasure is about so far."""
        rows = await self.database.rows(self.database.statements.list_erasing, erasure)
        return [(row["kind"], row["id"]) for row in rows]

    async def _erase_events(self, outcome: Outcome) -> None:
        """Erase days until none is left that need not wait."""
        for _ in range(ROUNDS):
            await catch_up(self.database)
            known = [id_ for kind, id_ in await self.ids(outcome.erasure) if kind != USER]
            unread: dict[date, str] = {}
            person = await self.look(known, unread)
            outcome.waits |= {day.isoformat(): why for day, why in unread.items()}
            await self._add(outcome.erasure, ["session"] * len(person.sessions), list(person.sessions))
            days: dict[date, list[Place]] = {}
            for place in person.places:
                if place.day.isoformat() not in outcome.waits:
                    days.setdefault(place.day, []).append(place)
            if not days:
                return
            closed = await self.database.rows(self.database.statements.list_closed_days, sorted(days))
            for day in sorted(days):
                hindrance = await self._erase_day(outcome.erasure, day, days[day], {row["day"] for row in closed})
                if hindrance is not None:
                    outcome.waits[day.isoformat()] = hindrance
        if [place for place in (await self.look(unread={})).places if place.day.isoformat() not in outcome.waits]:
            outcome.waits["new events"] = "they came while the erasure ran"

    async def _erase_day(self, erasure: int, day: date, places: list[Place], closed: set[date]) -> str | None:
        """Erase a day; return why it waits."""
        where = {place.where for place in places}
        if LEAVING in where:
            return "it is leaving the archive: its files are deleted after the grace"
        if where == {IN_THE_LOG} and day not in closed:
            return await self._erase_rows(erasure, day, places)
        try:
            refused = await self.history.open(day, f"erasure {erasure}", "")
            if refused is not None:
                return refused
            await self.database.rows(self.database.statements.shut_day, day)
            hindrance = await self._erase_rows(erasure, day, places)
            await self._vacuum([day])
            await self.history.close(day)
        except (NotNow, NotClosed) as error:
            return str(error)
        return hindrance

    async def _erase_rows(self, erasure: int, day: date, places: list[Place]) -> str | None:
        versions = await live_versions(self.database)
        for shard in sorted({place.shard for place in places}):
            for start in sorted({place.hour for place in places if place.shard == shard}):
                # A log that is damaged would hide what the erasure takes, and the other way round.
                proof = await verify_hour(self.database, Hour(shard, versions[shard], start, 0), replan=True)
                if proof.state not in {*RIGHT, DRIFTED}:
                    return f"hour {start:%H:%M} of shard {shard} is {proof.state}; see make verify"
            hindrance = await self._erase_shard(erasure, shard, versions[shard], day)
            if hindrance is not None:
                return hindrance
        return None

    async def _erase_shard(self, erasure: int, shard: int, version: int, day: date) -> str | None:
        statements = self.database.statements
        upto = (await step(self.database, statements.bury_events, erasure, shard, day))["upto"]
        todo = statements.erase_day, erasure, shard, version, day, upto, VERSION, self._clock
        row = await step(self.database, *todo)
        for _ in range(_TRIES):
            if row["hindrance"] != NOT_FOLDED:
                break
            await catch_up(self.database)
            row = await step(self.database, *todo)
        log.debug("a day of a person", day=day.isoformat(), shard=shard, events=row["events"], waits=row["hindrance"])
        hindrance: str | None = row["hindrance"]
        return hindrance

    async def _tidy(self, outcome: Outcome) -> None:
        """Take away dead rows, and files that no hour is read from any more."""
        statements = self.database.statements
        steps = await self.database.rows(statements.list_erasure_steps, outcome.erasure)
        await self._vacuum(sorted({row["day"] for row in steps}))
        for _ in range(2):  # the first pass marks what the second one deletes
            await clean(self.database, self.archive, patience=AT_ONCE)
        old = [row["file"] for row in await self.database.rows(statements.list_old_files, outcome.erasure)]
        if old:
            outcome.waits["files of the archive"] = f"{len(old)} old ones are in use or cannot be deleted: {old[0]}"

    async def _vacuum(self, days: list[date]) -> None:
        if self.vacuums:
            for row in await self.database.rows(self.database.statements.list_vacuums, days):
                await self.database.alone(row["command"])

    async def _verify(self, outcome: Outcome) -> None:
        """Verify what was changed. What is wrong keeps the erasure from its certificate."""
        versions = await live_versions(self.database)
        rows = await self.database.rows(self.database.statements.list_erased_hours, outcome.erasure)
        hours = [Hour(row["shard"], versions[row["shard"]], row["hour"], 0) for row in rows]
        with KeptHours(self.archive) as kept:
            verified = partial(verify_hour, self.database, clock=self._clock, replan=True, kept=kept)
            async for hour, proof in each(hours, verified, at_a_time=AT_A_TIME):
                if proof.state not in RIGHT:
                    where = f"hour {hour.start.astimezone(UTC):%Y-%m-%dT%H:%MZ} of shard {hour.shard}"
                    outcome.waits[where] = f"it is {proof.state}; see make verify"
        if not outcome.waits and (left := await self.rollups(await self.ids(outcome.erasure))):
            outcome.waits["rollups"] = f"{len(left)} ids are still in them"

    async def rollups(self, ids: list[tuple[str, str]]) -> list[Row]:
        """Return which ids the rollups name, and where."""
        kinds, names = [kind for kind, _ in ids], [id_ for _, id_ in ids]
        return await self.database.rows(self.database.statements.list_members, list(self.shards), kinds, names)
