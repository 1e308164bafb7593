"""Hourly rollups, always fresh (R8), and one hour with its proof."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from service.errors import Expired
from service.questions.hours import HOUR, hour, hour_range, hour_start, time_text, touched_hours
from service.questions.parameters import parse, switch
from service.reports.proofs import differences_of, proof_of
from service.reports.shards import Shards
from sql.database import Database, Row
from sql.hourly import FAILED, OTHER, PROJECTION, ROLLUP_FIELDS

DEFAULT_HOURS = 168
# The most keys of each kind that an answer names for an hour.
MOST_KEYS = 1_000
# Events may be a day ahead of the database's clock. Two more hours cover the difference to this machine's clock.
OPEN_END = timedelta(hours=26)
PARAMETERS = frozenset({"hours", "from", "to", "fill"})
# The measure of read_hourly that a shard has when it keeps less than the range.
KEPT = "rollups_since"


class Rollups:
    """Answers questions about rollups. It reads each shard in one snapshot. Sessions add up: each is in one shard."""

    def __init__(self, database: Database, shards: Shards, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._shards = shards
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Answer `GET /api/analytics/rollups`: hours of a range, newest first. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        now = self._clock()
        asked = hour_range(given, DEFAULT_HOURS, now)
        since, by_shard = await self._read_kept(asked.since, asked.until or now + OPEN_END)
        total = Totals(by_shard)
        hours = total.hours()
        if switch(given, "fill", default=False):
            hours |= _every_hour(since, asked.until, now)
        return {
            "ok": True,
            **({"from": time_text(since)} if since > asked.since else {}),
            "count": len(hours),
            "hours": asked.hours,
            "total_events": total.single["event_type"] + total.single["document_events"],
            "total_sessions": total.single["sessions"] + total.single["document_sessions"],
            "distinct_sessions": total.single["distinct_sessions"],
            "rollups": [
                _within(total.rollup(start), start, since, asked.until) for start in sorted(hours, reverse=True)
            ],
            "as_of": {
                "positions": [row["amount"] for rows in by_shard for row in rows if row["measure"] == "position"],
                "lag_events": total.single["lag_events"],
            },
        }

    async def one(self, hour_text: str) -> dict[str, Any]:
        """Answer `GET /api/analytics/rollups/{hour}`, even for an hour without events. Raises Invalid and NotReady.

        When the proof failed, the answer has the differences that the last verification found.
        """
        start = hour("hour", hour_text)
        by_shard = await self._read(start, start + HOUR)
        # Read the proofs second: if retention deletes rollups between the two reads, the seal still holds them.
        proofs = await self._proofs(start)
        sealed = [proof["document"] for proof in proofs]
        total = Totals([[] if document else rows for rows, document in zip(by_shard, sealed, strict=True)])
        for document in filter(None, sealed):
            total.add(start, document)
        proof = proof_of(start, proofs, self._clock())
        wrong = await self._differences(start) if proof["state"] in FAILED else {}
        accepted = await self._accepted(start)
        return {"ok": True, "rollup": total.rollup(start), "proof": proof, **wrong, **accepted}

    async def _accepted(self, start: datetime) -> dict[str, Any]:
        """Return the damage of an hour that was accepted, nothing without any."""
        shards = await self._shards.numbers()
        rows = await self._database.rows(self._database.statements.list_accepted, shards, start, start + HOUR)
        names = ("shard", "events_before", "events_after", "reason", "asked_by")
        told = [{name: row[name] for name in names} | {"accepted_at": time_text(row["accepted_at"])} for row in rows]
        return {"accepted": told} if told else {}

    async def _read_kept(self, since: datetime, until: datetime) -> tuple[datetime, list[list[Row]]]:
        """Read the part of a range that all shards keep; return its start and the rows. Raises Expired."""
        while True:
            by_shard = await self._read(since, until)
            kept = [row["hour"] for rows in by_shard for row in rows if row["measure"] == KEPT]
            if not kept:
                return since, by_shard
            since = max(kept)
            if since >= until:
                raise Expired(
                    f"rollups before {time_text(since)} are not kept any more;"
                    " /api/analytics/rollups/{hour} still answers single hours from their seals",
                    "to",
                )

    async def _read(self, since: datetime, until: datetime) -> list[list[Row]]:
        shards = await self._shards.numbers()
        # With several shards read all keys, because one shard does not know which keys are the largest of all.
        most_keys = MOST_KEYS if len(shards) == 1 else None
        query = self._database.statements.read_hourly
        return await asyncio.gather(*(self._database.rows(query, shard, since, until, most_keys) for shard in shards))

    async def _proofs(self, start: datetime) -> list[Row]:
        query = self._database.statements.read_proof
        return await asyncio.gather(
            *(self._database.only(query, shard, PROJECTION, start) for shard in await self._shards.numbers())
        )

    async def _differences(self, start: datetime) -> dict[str, Any]:
        shards, query = await self._shards.numbers(), self._database.statements.read_differences
        found = await asyncio.gather(*(self._database.rows(query, shard, PROJECTION, start) for shard in shards))
        return differences_of(shards, found)


class Totals:
    """The sums of the rows of read_hourly, which come as one list per shard.

    single: each measure summed over all hours, and the measures of no hour, such as `lag_events`.
    """

    def __init__(self, by_shard: list[list[Row]]) -> None:
        self.single: dict[str, int] = defaultdict(int)
        self._by_hour: dict[datetime, dict[str, dict[Any, int]]] = {}
        # With a single shard its documents are the answer, because no other shard adds to them.
        self._documents: dict[datetime, msgspec.Raw] = {}
        for measure, start, key, amount in (row for rows in by_shard for row in rows):
            if measure == KEPT:
                continue
            if measure != "document":
                self.single[measure] += amount
                if start is not None:
                    self._kinds(start)[measure][key] += amount
            elif len(by_shard) == 1:
                self._documents[start] = msgspec.Raw(key)
            else:
                self.add(start, key)

    def add(self, start: datetime, document: str) -> None:
        """Add the counts of an hour's document to its rollup. document: the JSON of a rollup."""
        counted = msgspec.json.decode(document)
        kinds = self._kinds(start)
        for measure, name in ROLLUP_FIELDS.items():
            for key, events in counted[name].items():
                kinds[measure][key] += events
        kinds["sessions"][None] += counted["unique_sessions"]

    def hours(self) -> set[datetime]:
        """Return the hours with events."""
        return {start for start, kinds in self._by_hour.items() if any(kinds["event_type"].values())} | set(
            self._documents
        )

    def rollup(self, start: datetime) -> dict[str, Any] | msgspec.Raw:
        """Return the rollup of an hour in the form of answers, with zeros when it has no events."""
        if document := self._documents.get(start):
            return document
        kinds = self._by_hour.get(start, {})
        return {
            "hour": time_text(start),
            **{name: _most(kinds.get(measure, {})) for measure, name in ROLLUP_FIELDS.items()},
            "unique_sessions": sum(kinds.get("sessions", {}).values()),
            "total_events": sum(kinds.get("event_type", {}).values()),
        }

    def _kinds(self, start: datetime) -> dict[str, dict[Any, int]]:
        return self._by_hour.setdefault(start, defaultdict(lambda: defaultdict(int)))


def _most(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts, largest first. Beyond MOST_KEYS it sums the smallest as (other)."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) <= MOST_KEYS:
        return dict(ordered)
    named = dict([item for item in ordered if item[0] != OTHER][: MOST_KEYS - 1])
    return _most(named | {OTHER: sum(counts.values()) - sum(named.values())})


def _every_hour(since: datetime, until: datetime | None, now: datetime) -> set[datetime]:
    """Return every hour of the range up to the current one. Later hours show only when they have events."""
    current_end = hour_start(now) + HOUR
    first, end = touched_hours(since, min(until or current_end, current_end))
    return {first + step * HOUR for step in range((end - first) // HOUR)}


def _within(
    rollup: dict[str, Any] | msgspec.Raw, hour: datetime, since: datetime, until: datetime | None
) -> dict[str, Any] | msgspec.Raw:
    """Return the rollup of an hour; one that the range cuts says from when to when it counts."""
    start, end = part_of(hour, since, until)
    if end - start == HOUR or isinstance(rollup, msgspec.Raw):
        return rollup
    return {"hour": rollup["hour"], "from": time_text(start), "to": time_text(end), **rollup}


def part_of(hour: datetime, since: datetime, until: datetime | None) -> tuple[datetime, datetime]:
    """Return the part of an hour that lies in a range."""
    end = hour + HOUR
    return max(hour, since), end if until is None else min(end, until)
