"""Projector, rebuild and verify compared to one GROUP BY over the same events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import perf_counter

from bench.ground import SCATTERED, WEB, Ground, Grounds
from bench.rows import EVENTS_PER_SECOND, Goal, NotCounted, Row, Spread, in_turns, least, least_ratio
from projections import versions
from projections.projector import catch_up

PEER = "one GROUP BY hour, count(distinct session)"


async def measure(grounds: Grounds) -> list[Row]:
    """Measure before receipts are compacted, because afterwards a log cannot be folded again from its start."""
    web, scattered = await grounds.of(WEB), await grounds.of(SCATTERED)
    rebuild, verify = least_ratio(0.9, reached=0.15), least_ratio(0.25, reached=0.2)
    rows = await _measure(web, least_ratio(0.35, reached=0.2), rebuild, verify)
    rebuild, verify = least_ratio(0.2, reached=0.04), least_ratio(0.25, reached=0.1)
    return [
        rows[0],
        replace(rows[0], goal=least(200_000)),
        *rows[1:],
        *await _measure(scattered, least(60_000), rebuild, verify),
    ]


async def _measure(ground: Ground, projecting: Goal, rebuilding: Goal, verifying: Goal) -> list[Row]:
    engine = Engine(ground)
    # The order matters: verify checks the rollups that the projector made.
    found = await in_turns(
        ground.size.runs,
        {"project": engine.project, "verify": engine.verify, "rebuild": engine.rebuild, "count": engine.count},
    )

    def row(what: str, measured: Spread, goal: Goal) -> Row:
        return Row(what, EVENTS_PER_SECOND, measured, PEER, found["count"], goal, data=ground.data.name)

    return [
        row("projector catching up, sessions, users, edges and receipts included", found["project"], projecting),
        row("rebuild of everything as a new version, verified and made live", found["rebuild"], rebuilding),
        row("verify, digests included", found["verify"], verifying),
    ]


class Engine:
    """The steps. Each processes all events and returns events per second."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database

    async def project(self) -> float:
        """Fold the log from its beginning."""
        await self._database.rows(self._ground.statements.empty_hourly)
        await self._database.rows(self._ground.statements.rewind_checkpoints)
        return await self._rate(lambda: catch_up(self._database))

    async def verify(self) -> float:
        """Verify the log and the rollups."""
        return await self._rate(self._ground.verify)

    async def rebuild(self) -> float:
        """Rebuild everything beside the live version, make it live, and drop the former one."""
        rate = await self._rate(self._rebuild)
        await versions.drop_old(self._database)
        return rate

    async def count(self) -> float:
        """Count events and sessions by hour, in one process of the server, because the other steps use one, too."""
        async with self._database.transaction() as session:
            await session.rows(self._ground.statements.use_one_process)

            async def count() -> int:
                return sum(row["events"] for row in await session.rows(self._ground.statements.count_by_hour))

            return await self._rate(count)

    async def _rebuild(self) -> int:
        version = await versions.begin(self._database)
        async for _ in versions.fill(self._database, version):
            pass
        proofs = [proof async for proof in versions.prove(self._database, version)]
        await versions.switch(self._database, version, proofs)
        return sum(proof.events for proof in proofs)

    async def _rate(self, work: Callable[[], Awaitable[int]]) -> float:
        """Return events per second of `work`. Raises NotCounted unless it returns the number of all events."""
        started = perf_counter()
        events = await work()
        seconds = perf_counter() - started
        if events != self._ground.size.events:
            raise NotCounted(f"{events:,} events were processed, not {self._ground.size.events:,}")
        return events / seconds
