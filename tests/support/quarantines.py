"""Quarantines of the old days of tests/support/retired_days.py, beside a plain oracle of what they leave out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from projections.archive.kept_hours import KeptHours
from projections.hours import list_hours
from projections.quarantine import DayChanged, Definition, Quarantines
from projections.verify import verify
from service.commands.quarantine import Asked, definition_of
from service.ingest.event import Event
from tests.support import oracle
from tests.support.archived_days import all_answers
from tests.support.projection import folded
from tests.support.retired_days import chain_is_whole, day
from tests.support.sharded import Sharded

FLOOD = "event_type = page_viewed and tool_name = Home"
# From within an hour of day 0, so that some events of a touched hour are not in the range, to within one of day 3.
SINCE, UNTIL = day(0) + timedelta(hours=7, minutes=10), day(3) + timedelta(hours=7, minutes=20)


def is_flood(event: Event, since: datetime = SINCE, until: datetime = UNTIL) -> bool:
    """Tell whether a quarantine of FLOOD leaves an event out."""
    return event.event_type == "page_viewed" and event.tool_name == "Home" and since <= event.timestamp < until


def counted(events: Sequence[Event], since: datetime = SINCE, until: datetime = UNTIL) -> list[Event]:
    """Return the events that count."""
    return [event for event in events if not is_flood(event, since, until)]


async def definition(
    url: str, where: str = FLOOD, since: datetime = SINCE, until: datetime = UNTIL, site: str | None = None
) -> Definition:
    """Return the definition that the command gives."""
    text = await definition_of(url, Asked(where, since, until, "a flood", site))
    return msgspec.json.decode(text, type=Definition)


async def put(log: Sharded, kept: KeptHours, asked: Definition | None = None) -> list[DayChanged]:
    """Put a quarantine, that of FLOOD for None; return what became of its days."""
    quarantines = Quarantines(log.database, kept)
    number = await quarantines.begin(asked or await definition(log.url))
    return [changed async for changed in quarantines.put(number, "me")]


async def lift(log: Sharded, kept: KeptHours, number: int = 1) -> list[DayChanged]:
    """Lift a quarantine; return what became of its days."""
    return [changed async for changed in Quarantines(log.database, kept).lift(number, "me")]


async def check(log: Sharded, kept: KeptHours, stored: Sequence[Event], counting: Sequence[Event]) -> None:
    """Check that rows are those of the events that count, that all hours verify, and that the log is as it was."""
    for shard in range(log.shards):
        assert await folded(log.admin, shard=shard) == oracle.rows(log.of_shard(shard, counting))
    proofs = [proof async for proof in verify(log.database, await list_hours(log.database, None, None), kept)]
    assert [proof for proof in proofs if proof.state not in ("verified", "sealed")] == []
    assert sum(proof.events for proof in proofs) == len(stored)
    await chain_is_whole(log)


async def answers_of(log: Sharded, archive: Path) -> dict[str, Any]:
    """Return the answers to all questions, without where the log stands."""
    return {name: _without(found) for name, found in (await all_answers(log, archive)).items()}


def _without(answer: Any) -> Any:
    return {name: value for name, value in answer.items() if name != "as_of"} if isinstance(answer, dict) else answer
