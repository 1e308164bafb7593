"""Projector, rebuild and verify against one GROUP BY over the same events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from bench.ground import Ground
from bench.rows import EVENTS_PER_SECOND, NotCounted, Row, Spread, in_turns, least
from projections.hours import list_hours
from projections.projector import catch_up
from projections.rebuild import REBUILT, rebuild

PEER = "one GROUP BY hour, count(distinct session)"


async def measure(ground: Ground) -> list[Row]:
    """Measure on the log as it was loaded: once receipts are compacted, it cannot be folded anew."""
    engine = Engine(ground)
    # Verify judges what the projector made, the second rebuild what the first made.
    found = await in_turns(
        ground.size.runs,
        {
            "project": engine.project,
            "verify": engine.verify,
            "emptied": engine.rebuild_emptied,
            "right": engine.rebuild_right,
            "count": engine.count,
        },
    )

    def row(what: str, measured: Spread, least_events: int) -> Row:
        return Row(f"{what}, web data", EVENTS_PER_SECOND, measured, PEER, found["count"], least(least_events))

    return [
        row("projector catching up", found["project"], 60_000),
        row("rebuild, rollups emptied", found["emptied"], 200_000),
        row("rebuild, all right already", found["right"], 200_000),
        row("verify, digests included", found["verify"], 150_000),
    ]


class Engine:
    """The steps; each goes through all events and returns how many it did in a second."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database
        self._rows_written = 0

    async def project(self) -> float:
        """Fold the log from its beginning."""
        await self._database.rows(self._ground.statements.empty_hourly)
        await self._database.rows(self._ground.statements.rewind_checkpoints)
        return await self._rate(lambda: catch_up(self._database))

    async def verify(self) -> float:
        """Verify the log and the rollups."""
        return await self._rate(self._ground.verify)

    async def rebuild_emptied(self) -> float:
        """Rebuild rollups that are not there."""
        await self._database.rows(self._ground.statements.empty_hourly)
        return await self._rate(self._rebuild)

    async def rebuild_right(self) -> float:
        """Rebuild rollups that are right. Raises NotCounted when they were not."""
        rate = await self._rate(self._rebuild)
        if self._rows_written:
            raise NotCounted(f"a second rebuild changed {self._rows_written:,} rows")
        return rate

    async def count(self) -> float:
        """Count events and sessions by hour, in one process of the server, as the others are."""
        async with self._database.transaction() as session:
            await session.rows(self._ground.statements.use_one_process)

            async def count() -> int:
                return sum(row["events"] for row in await session.rows(self._ground.statements.count_by_hour))

            return await self._rate(count)

    async def _rebuild(self) -> int:
        self._rows_written = events = 0
        async for hour in rebuild(self._database, await list_hours(self._database, None, None)):
            if hour.outcome != REBUILT:
                raise NotCounted(f"rebuild: {hour.hour.start:%Y-%m-%dT%H:%MZ} is {hour.outcome}")
            self._rows_written += hour.rows_written
            events += hour.hour.events
        return events

    async def _rate(self, work: Callable[[], Awaitable[int]]) -> float:
        """Return events per second of `work`, which returns how many it went through."""
        started = perf_counter()
        events = await work()
        seconds = perf_counter() - started
        if events != self._ground.size.events:
            raise NotCounted(f"{events:,} events were gone through, not {self._ground.size.events:,}")
        return events / seconds
