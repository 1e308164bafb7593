"""Days of a log that leave the rows while the archive keeps them, for tests. Tests pass every clock in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from projections.archive.cleaning import clean
from projections.archive.keeper import Keeper
from projections.retention import RetiredDay, retain
from projections.undrop import ReturnedDay, undrop
from service.errors import ServiceError
from sql.database import Database
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support.archive import archived
from tests.support.funnels import ask, funnels_on
from tests.support.oracle import HOUR
from tests.support.reads import Reads, reads
from tests.support.retired_days import EVENTS, LONG, day, of_day, past, reading_at, retire
from tests.support.sharded import Sharded

# The archive keeps events for so many days longer than the log keeps rows.
LONGER = 20
EVENT_DAYS = RETENTION_DAYS + LONGER
KEPT = Retention(EVENT_DAYS, LONG, RETENTION_DAYS)
STAGES = "select day, stage from archived_days order by day"
TABLE = "select to_regclass(day_partition($1)) is not null"
IN_LOG = "select count(*) from events where timestamp >= $1 and timestamp < $1 + interval '1 day'"
SCOPE = f"from={day(0):%Y-%m-%dT00:00Z}&to={day(10):%Y-%m-%dT00:00Z}"
QUESTIONS: dict[str, Callable[[Reads], Awaitable[dict[str, Any]]]] = {
    "trends": lambda found: found.trends.page(f"{SCOPE}&interval=day&metric=users&demo_mode=true".encode()),
    "trends by tool": lambda found: found.trends.page(f"{SCOPE}&interval=day&by=tool_name&demo_mode=true".encode()),
    "summary": lambda found: found.summary.page(f"{SCOPE}&demo_mode=true".encode()),
    "top": lambda found: found.top_keys.page(f"{SCOPE}&by=tool_name&demo_mode=true".encode()),
    "properties": lambda found: found.properties.page(SCOPE.encode()),
    "cohorts": lambda found: found.cohorts.page(f"{SCOPE}&interval=day&demo_mode=true".encode()),
    "funnels": lambda found: ask(
        funnels_on(found),
        {
            "from": f"{day(0):%Y-%m-%dT00:00Z}",
            "to": f"{day(10):%Y-%m-%dT00:00Z}",
            "steps": [{"event_type": "page_viewed"}, {"event_type": "risk_mode_changed"}],
        },
    ),
    "rollups": lambda found: found.trends.page(f"{SCOPE}&interval=day".encode()),
}


async def archive_days(log: Sharded, folder: Path, until: int = 4) -> Keeper:
    """Archive the days before one: an hour a file."""
    return await archived(log.database, folder, day(until) + HOUR)


async def leave_rows(database: Database, number: int, archive: Path | None, **more: Any) -> list[RetiredDay]:
    """Run a pass at a clock when a day is just past the retention of rows."""
    return await retire(database, number, event_days=EVENT_DAYS, archive=archive, **more)


async def passed(
    database: Database, clock: datetime, archive: Path | None, kept: Retention = KEPT, **more: Any
) -> list[RetiredDay]:
    """Run a pass by clocks that are right."""
    return [each async for each in retain(database, kept, archive=archive, reading=reading_at(clock), **more)]


async def brought_back(database: Database, clock: datetime, archive: Path | None = None) -> list[ReturnedDay]:
    """Bring back what can be."""
    return [back async for back in undrop(database, archive=archive, reading=reading_at(clock))]


def moved(*numbers: int) -> list[RetiredDay]:
    """Return the results of a pass after which only the archive has these days."""
    return [RetiredDay(day(number).date(), len(of_day(number, EVENTS)), archived=True) for number in numbers]


def kept_past(number: int) -> datetime:
    """Return a moment when this day is past the retention of events, and the next day is not."""
    return past(number + LONGER)


async def stages(log: Sharded) -> dict[int, str]:
    """Return the stage of each day in the archive, by the day's number."""
    return {(row["day"] - day(0).date()).days: row["stage"] for row in await log.admin.fetch(STAGES)}


async def all_answers(log: Sharded, archive: Path) -> dict[str, Any]:
    """Return the answers to all questions, and a refusal where a question has none."""
    found: dict[str, Any] = {}
    async with reads(log.database, log.url, archive=archive) as asked:
        for name, question in QUESTIONS.items():
            try:
                found[name] = await question(asked)
            except ServiceError as error:
                found[name] = str(error)
    return found


async def cleaned(log: Sharded, archive: Path) -> None:
    """Clean until nothing is left to do."""
    for _ in range(3):
        await clean(log.database, archive, patience=timedelta(0))


async def kept_since(log: Sharded) -> Any:
    return (await log.database.only(log.database.statements.read_kept, None))["events_since"]
