"""The proofs of the hours in a range, and of one hour."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from service.questions.hours import HOUR, closed_range, time_text, touched_hours
from service.questions.parameters import parse
from service.reports.shards import Shards
from sql.database import Database, Row
from sql.digest import digest_text
from sql.hourly import FAILED, OPEN, PROJECTION, STATES

DEFAULT_HOURS = 168
# The most hours outside of the range that an answer names.
MOST_ELSEWHERE = 100
PARAMETERS = frozenset({"hours", "from", "to"})


class Proofs:
    """Answers `GET /api/analytics/proofs`."""

    def __init__(self, database: Database, shards: Shards, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._shards = shards
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the proof of each hour that has events or failed its proof, newest first. Raises ServiceError.

        A proof is of a whole hour, so an hour that the range cuts is there as a whole.
        """
        now = self._clock()
        since, until = touched_hours(*closed_range(parse(query, PARAMETERS), DEFAULT_HOURS, now))
        # Read the positions first, so that the proofs reach at least as far as `as_of` says.
        shards = await self._shards.numbers()
        checkpoints = await self._database.rows(self._database.statements.list_lags, PROJECTION, shards)
        by_hour = await self._by_hour(since, until)
        elsewhere = await self._database.rows(
            self._database.statements.list_failed_elsewhere, shards, PROJECTION, since, until, MOST_ELSEWHERE
        )
        proofs = [
            {"hour": time_text(hour), **proof_of(hour, by_hour[hour], now)} for hour in sorted(by_hour, reverse=True)
        ]
        shown = [proof for proof in proofs if proof["events"] or proof["state"] in FAILED]
        return {
            "ok": True,
            "from": time_text(since),
            "to": time_text(until),
            "count": len(shown),
            "proofs": shown,
            "failed_elsewhere": [{"hour": time_text(row["hour"]), "state": row["state"]} for row in elsewhere],
            "more_failed_elsewhere": elsewhere[0]["hours"] - len(elsewhere) if elsewhere else 0,
            "as_of": as_of(checkpoints),
        }

    async def seals(self) -> dict[str, Any]:
        """Return the newest seal of each shard that has one, in the form of `python -m projections seal-head`."""
        shards = await self._shards.numbers()
        rows = await self._database.rows(self._database.statements.list_seal_heads)
        seals = [
            {"shard": row["shard"], "sequence": row["sequence"], "hour": time_text(row["hour"]), "hash": row["hash"]}
            for row in rows
            if row["shard"] in shards
        ]
        return {"ok": True, "count": len(seals), "seals": seals}

    async def _by_hour(self, since: datetime, until: datetime) -> dict[datetime, list[Row]]:
        query = self._database.statements.read_proofs
        shards = await self._shards.numbers()
        by_shard = await asyncio.gather(
            *(self._database.rows(query, shard, PROJECTION, since, until) for shard in shards)
        )
        by_hour: dict[datetime, list[Row]] = defaultdict(list)
        for row in (row for rows in by_shard for row in rows):
            by_hour[row["hour"]].append(row)
        return by_hour


def as_of(checkpoints: Sequence[Row]) -> dict[str, Any]:
    """Return the log's last position by shard, and the number of events not folded yet, from rows of list_lags."""
    # Skip versions that are being rebuilt, because they answer no reads.
    live = [row for row in checkpoints if row["live"]]
    return {"positions": [row["head"] for row in live], "lag_events": sum(row["lag_events"] for row in live)}


def proof_of(start: datetime, proofs: Sequence[Row], now: datetime) -> dict[str, Any]:
    """Return the proof of an hour in the form of answers. proofs: one row of read_proof or read_proofs per shard.

    Worst first: an hour has its worst shard's state. Events and digests add up. An hour that is not over is open.
    """
    verified = [proof["verified_at"] for proof in proofs if proof["verified_at"] is not None]
    sealed = [proof["sealed_at"] for proof in proofs if proof["sealed_at"] is not None]
    return {
        "state": _state(proofs) if start + HOUR <= now else OPEN,
        "events": sum(proof["events"] for proof in proofs),
        "digest": digest_text(
            sum(proof["digest_high"] for proof in proofs), sum(proof["digest_low"] for proof in proofs)
        ),
        "verified_at": time_text(min(verified)) if verified else None,
        "sealed_at": time_text(max(sealed)) if sealed else None,
    }


def differences_of(shards: Sequence[int], found: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """Return what the last verification of an hour found wrong, in the form of answers.

    found: for each shard, the rows of read_differences.
    """
    kept = [
        (shard, msgspec.json.decode(row["differences"]))
        for shard, rows in zip(shards, found, strict=True)
        for row in rows
        if row["differences"]
    ]
    named = [
        {"shard": shard, **difference, "bucket": time_text(datetime.fromisoformat(difference["bucket"]))}
        for shard, each in kept
        for difference in each["named"]
    ]
    return {"differences": named, "more_differences": sum(each["found"] for _, each in kept) - len(named)}


def _state(proofs: Sequence[Row]) -> str:
    # Skip shards that never had an event of the hour. If none is left, the hour is open, because nothing verified it.
    found = {proof["state"] if proof["current"] else OPEN for proof in proofs if proof["events"] or proof["state"]}
    return next((state for state in STATES if state in found), OPEN)
