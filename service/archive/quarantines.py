"""Quarantines in force: questions leave out the events that is_quarantined.sql keeps out of the projection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec
from duckdb import Expression

from service.archive.checks import Checks, columns_of_checks
from service.archive.conditions import Properties, passes_all
from service.archive.json_text import any_of, constant, surely
from service.archive.snapshot import Stretch
from service.archive.streams import column
from sql.database import Row, Session
from sql.statements import load

_checks = msgspec.json.Decoder(Checks)


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What a quarantine leaves out: the events that pass the checks, in some stretches of time of each shard."""

    checks: Checks
    of_shards: dict[int, tuple[Stretch, ...]]


async def read_quarantines(session: Session, shards: Sequence[int], asked: Stretch) -> tuple[Quarantine, ...]:
    """Return the quarantines that are in force for shards in a range, as the session's snapshot has them."""
    rows = await session.rows(load().list_quarantined_ranges, shards, asked.since, asked.until)
    found = []
    for _, group in groupby(rows, key=lambda row: row["number"]):
        of_one = [*group]
        of_shards = {shard: _stretches(some) for shard, some in groupby(of_one, key=lambda row: row["shard"])}
        found.append(Quarantine(_checks.decode(of_one[0]["conditions"]), of_shards))
    return tuple(found)


def _stretches(days: Iterable[Row]) -> tuple[Stretch, ...]:
    """Return the times of days in order, with those that follow each other as one."""
    found: list[Stretch] = []
    for day in days:
        if found and found[-1].until == day["since"]:
            found[-1] = Stretch(found[-1].since, day["until"])
        else:
            found.append(Stretch(day["since"], day["until"]))
    return tuple(found)


def columns_read(quarantines: Sequence[Quarantine]) -> set[str]:
    """Return the columns of events that quarantines look at; none when there are none."""
    checks = [check for quarantine in quarantines for check in quarantine.checks]
    return {"shard", "timestamp", *columns_of_checks(checks)} if quarantines else set()


def counts(quarantines: Sequence[Quarantine], properties: Properties) -> Expression:
    """Return whether no quarantine leaves an event out."""
    return ~surely(any_of([_leaves_out(quarantine, properties) for quarantine in quarantines]))


def _leaves_out(quarantine: Quarantine, properties: Properties) -> Expression:
    of_stretches: dict[tuple[Stretch, ...], list[int]] = {}
    for shard, stretches in quarantine.of_shards.items():
        of_stretches.setdefault(stretches, []).append(shard)
    there = [
        column("shard").isin(*map(constant, shards)) & any_of([_is_within(stretch) for stretch in stretches])
        for stretches, shards in of_stretches.items()
    ]
    return any_of(there) & passes_all(quarantine.checks, properties)


def _is_within(stretch: Stretch) -> Expression:
    timestamp = column("timestamp")
    return (timestamp >= constant(stretch.since)) & (timestamp < constant(stretch.until))
