"""HTTP out: hourly rollups, fresh, and the proof of one hour."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from service.errors import ApiError
from service.queries import HOUR, HourRange, hour, hour_range, hour_start, parse, switch, time_text
from sql.database import Database
from sql.digest import digest_text

PROJECTION = "hourly"
DEFAULT_HOURS = 168
# A JSON answer names at most so many keys of each kind an hour.
MOST_KEYS = 1_000
OTHER = "(other)"
# Events may be a day ahead of the clock; a little more keeps the open end open whatever the clocks say.
OPEN_END = timedelta(hours=26)
PARAMETERS = frozenset({"hours", "from", "to", "fill"})
# Measures of read_hourly, and what a rollup calls them.
KINDS = {"event_type": "event_counts", "tool_name": "tool_usage", "risk_mode": "risk_distribution"}


class Rollups:
    """Answers questions about rollups. Each shard is read in one snapshot; distinct sessions add up across shards."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Answer `GET /api/analytics/rollups`."""
        given = parse(query, PARAMETERS)
        now = self._clock()
        asked = hour_range(given, DEFAULT_HOURS, now)
        by_shard = await self._read(asked.since, asked.until or now + OPEN_END)
        total = Totals([row for rows in by_shard for row in rows])
        hours = set(total.hours())
        if switch(given, "fill", default=False):
            hours |= _every_hour(asked, now)
        rollups = [total.rollup(start) for start in sorted(hours, reverse=True)]
        return {
            "ok": True,
            "count": len(rollups),
            "hours": asked.hours,
            "total_events": sum(rollup["total_events"] for rollup in rollups),
            "total_sessions": sum(rollup["unique_sessions"] for rollup in rollups),
            "distinct_sessions": total.single["distinct_sessions"],
            "rollups": rollups,
            "as_of": {
                "positions": [row["amount"] for rows in by_shard for row in rows if row["measure"] == "position"],
                "lag_events": total.single["lag_events"],
            },
        }

    async def one(self, hour_text: str) -> dict[str, Any]:
        """Answer `GET /api/analytics/rollups/{hour}`."""
        start = hour("hour", hour_text)
        by_shard = await self._read(start, start + HOUR)
        proof = await self._proof(start)
        return {"ok": True, "rollup": Totals([row for rows in by_shard for row in rows]).rollup(start), "proof": proof}

    async def _read(self, since: datetime, until: datetime) -> list[list[asyncpg.Record]]:
        statements = self._database.statements
        return await asyncio.gather(
            *(self._database.rows(statements.read_hourly, shard, since, until) for shard in await self._shards())
        )

    async def _proof(self, start: datetime) -> dict[str, Any]:
        statements = self._database.statements
        proofs = [
            await self._database.only(statements.read_proof, shard, PROJECTION, start) for shard in await self._shards()
        ]
        over = start + HOUR <= self._clock()
        verified = [proof["verified_at"] for proof in proofs if proof["verified_at"] is not None]
        return {
            "state": _state(proofs) if over else "open",
            "events": sum(proof["events"] for proof in proofs),
            "digest": digest_text(
                sum(proof["digest_high"] for proof in proofs), sum(proof["digest_low"] for proof in proofs)
            ),
            "verified_at": time_text(min(verified)) if verified else None,
            "sealed_at": None,
        }

    async def _shards(self) -> list[int]:
        rows = await self._database.rows(self._database.statements.list_shards)
        if not rows:
            raise ApiError(503, "unavailable", "the database has no shards yet; run make migrate")
        return [row["shard"] for row in rows]


class Totals:
    """Rows of read_hourly, of one shard or several, summed."""

    def __init__(self, rows: list[asyncpg.Record]) -> None:
        self.single: dict[str, int] = defaultdict(int)
        self._by_hour: dict[datetime, dict[str, dict[str, int]]] = {}
        for row in rows:
            if row["hour"] is None:
                self.single[row["measure"]] += row["amount"]
            else:
                kinds = self._by_hour.setdefault(row["hour"], defaultdict(lambda: defaultdict(int)))
                kinds[row["measure"]][row["key"]] += row["amount"]

    def hours(self) -> list[datetime]:
        """Return the hours with events."""
        return [start for start, kinds in self._by_hour.items() if any(kinds["event_type"].values())]

    def rollup(self, start: datetime) -> dict[str, Any]:
        """Return the rollup of an hour as answers show it; zeros when it has no events."""
        kinds = self._by_hour.get(start, {})
        return {
            "hour": time_text(start),
            **{name: _most(kinds.get(measure, {})) for measure, name in KINDS.items()},
            "unique_sessions": sum(kinds.get("sessions", {}).values()),
            "total_events": sum(kinds.get("event_type", {}).values()),
        }


def _most(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts, largest first; beyond 1,000 keys the smallest are summed under (other)."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) <= MOST_KEYS:
        return dict(ordered)
    named = dict(item for item in ordered if item[0] != OTHER)
    kept = dict(list(named.items())[: MOST_KEYS - 1])
    return kept | {OTHER: sum(counts.values()) - sum(kept.values())}


def _every_hour(asked: HourRange, now: datetime) -> set[datetime]:
    """Return every hour of the range up to the current one; hours to come are shown only when they have events."""
    current_end = hour_start(now) + HOUR
    until = min(asked.until or current_end, current_end)
    return {asked.since + step * HOUR for step in range((until - asked.since) // HOUR)}


def _state(proofs: list[asyncpg.Record]) -> str:
    """Return the worst that is known: what was found wrong, else open, else verified."""
    found = {proof["state"] if proof["current"] else "open" for proof in proofs if proof["events"] or proof["state"]}
    # An hour that never had an event has nothing that could be wrong, but nobody has looked either.
    return next((state for state in ("damaged", "drifted", "open") if state in found), "verified" if found else "open")
