"""A log of days long past whose events the archive keeps, and history for it, beside a plain oracle."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from projections.archive.kept_days import prove_day
from projections.archive.kept_hours import KeptHours
from projections.conservation import conservation
from projections.history import History
from projections.hours import list_hours
from projections.projector import catch_up
from projections.verify import HourProof, verify
from service.ingest.event import Event
from sql.retention import time_passed
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.archive import rows_of
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.projection import MODES, folded
from tests.support.retired_days import EVENTS, chain_is_whole, day, past, reading_at
from tests.support.sharded import Sharded

LONG = 1_000
STORED = (
    "shard, position, event_id, session_id, user_id, event_type, tool_name, action, properties, demo_mode, timestamp,"
    " received_at"
)
COLUMNS = STORED.replace("properties", "properties::text")
ROWS = "select {} from events where timestamp >= $1 and timestamp < $2"
FILES = "select distinct file from archive_hours where hour >= $1 and hour < $2"


@dataclass
class Past:
    """A log whose days 0 to 3 are before the horizon, and the events that it should have."""

    log: Sharded
    archive: Path
    events: list[Event]

    @property
    def history(self) -> History:
        return History(self.log.database, self.archive, reading=reading_at(past(4)), patience=20, pauses=(0.05,))

    async def keep_for(self, event_days: int, rollup_days: int = LONG) -> None:
        await self.log.admin.execute(
            "update retention_in_force set log_days = $1, event_days = $2, rollup_days = $3",
            *(RETENTION_DAYS, event_days, rollup_days),
        )

    async def append(self, number: int, events: Sequence[Event]) -> dict[str, str]:
        """Append history of a day that is open; return the outcome of each event that was not stored, by its id."""
        outcomes: dict[str, str] = {}
        for shard in range(self.log.shards):
            some = self.log.of_shard(shard, events)
            columns = [list(column) for column in zip(*some, strict=True)] or [[]] * len(Event._fields)
            rows = await self.log.database.rows(
                self.log.database.statements.append_history,
                *(shard, RETENTION_DAYS, past(4), *columns, date_of(number)),
            )
            outcomes |= {some[row["ordinal"] - 1].event_id: row["outcome"] for row in rows}
        self.events += [event for event in events if event.event_id not in outcomes]
        return outcomes

    async def bring_in(self, number: int, events: Sequence[Event]) -> dict[str, str]:
        """Open a day, append to it and close it."""
        assert await self.history.open(date_of(number), "a test", "me") is None
        outcomes = await self.append(number, events)
        await self.history.close(date_of(number))
        return outcomes

    async def drop_tables(self) -> None:
        """Drop the rows that left the log, as retention does after the grace."""
        statements = self.log.database.statements
        for row in await self.log.database.rows(statements.list_detached_days):
            bounds = row["since"], row["next_day"]
            proven = await prove_day(self.log.database, self.archive, *bounds) if row["stage"] else None
            dropped = await self.log.database.only(statements.drop_detached, row["day"], past(LONG), proven)
            assert dropped["hindrance"] is None

    async def rows(self, number: int) -> list[tuple[Any, ...]]:
        """Return the rows of a day in the log."""
        return sorted(map(tuple, await self.log.admin.fetch(ROWS.format(COLUMNS), day(number), day(number + 1))))

    async def in_files(self, number: int) -> list[tuple[Any, ...]]:
        """Return the rows of a day in the archive's files that hours are read from."""
        files = [row["file"] for row in await self.log.admin.fetch(FILES, day(number), day(number + 1))]
        return sorted(row for file in files for row in rows_of(self.archive, file, STORED))

    async def proofs(self) -> list[HourProof]:
        hours = await list_hours(self.log.database, None, None)
        with KeptHours(self.archive) as kept:
            return [proof async for proof in verify(self.log.database, hours, kept)]

    async def check(self) -> None:
        """Check that projection, proofs, sums and chain are those of all events, and that nothing is left open."""
        await catch_up(self.log.database)
        for shard in range(self.log.shards):
            assert await folded(self.log.admin, shard=shard) == oracle.rows(self.log.of_shard(shard, self.events))
        found = await self.proofs()
        assert [proof for proof in found if proof.state not in {"verified", "sealed"}] == []
        assert sum(proof.events for proof in found) == len(self.events)
        assert [shard for shard in await conservation(self.log.database) if not shard.holds] == []
        await chain_is_whole(self.log)
        assert await self.log.admin.fetch("select from opened_days") == []
        assert await self.log.admin.fetch("select from pg_class where relkind = 'r' and relname ~ '^restored_'") == []


async def a_past(log: Sharded, archive: Path) -> Past:
    """Put days 0 to 3 of a filled log before the horizon. Raw events and rollups are kept for long."""
    await log.admin.execute("update log_heads set horizon = $1", day(5))
    await time_passed(log.database, reading_at(past(4)), force=True)
    made = Past(log, archive, list(EVENTS))
    await made.keep_for(LONG)
    return made


def date_of(number: int) -> date:
    return day(number).date()


def history_of(number: int, count: int = 12, seed: int = 0) -> list[Event]:
    """Return events of a day; some sessions are those of other days."""
    chance = random.Random(f"{seed} {number}")
    return [
        an_event(
            10_000 * (seed + 1) + 100 * (number + 50) + place,
            at=day(number) + chance.randrange(96) * timedelta(minutes=15) + timedelta(microseconds=chance.randrange(3)),
            session=f"s{chance.randrange(9)}",
            kind=chance.choice(["page_viewed", "risk_mode_changed", 'kïnd "2"\n\\.']),
            tool=chance.choice(["Home", "", None]),
            properties=chance.choice([*MODES, '{"a": "\\n\\\\.\\n\\"", "n": 12345678901234567890.50}']),
            user=chance.choice(["u1", "u9", None]),
        )
        for place in range(count)
    ]


def hours_of(events: Iterable[Event]) -> set[datetime]:
    return {oracle.start_of(event.timestamp, HOUR) for event in events}
