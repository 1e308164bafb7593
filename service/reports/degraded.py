"""What is wrong with the service although it serves, as far as the database tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from service.console import counted
from service.settings import Settings
from sql.database import Database, Row
from sql.hourly import COMPLETE, PROJECTION
from sql.retention import clock_warnings

# Above this the projector is more than busy. Answers stay right, but take longer.
LAG_EVENTS = 100_000
# A rebuild takes seconds for an hour's events, so that an hour without progress means that it has stopped.
IDLE_REBUILD = timedelta(hours=1)
# An import of history has a day open for seconds, or minutes when it is large.
OPEN_DAY = timedelta(hours=1)


def lag_of(checkpoints: Iterable[Row]) -> int:
    """Return how many events the projector is behind. checkpoints: rows of list_lags."""
    return sum(row["lag_events"] for row in checkpoints if row["live"])


def why_behind(lag: int) -> list[str]:
    """Return why answers may take long, one sentence or none. lag: how many events the projector is behind."""
    return [f"the projector is {lag} events behind"] if lag > LAG_EVENTS else []


async def why_degraded(database: Database, settings: Settings) -> list[str]:
    """Return what is wrong that the database knows of, one sentence each. Raises sql.errors.DatabaseError."""
    statements = database.statements
    failed = await database.only(statements.count_failed_proofs)
    overdue = await database.only(statements.count_overdue_days)
    versions = await database.rows(statements.list_versions, PROJECTION, None)
    retention = await database.only(statements.read_retention)
    archive = await database.only(statements.read_archive_state)
    refused = await database.rows(statements.count_refused_names)
    opened = [row["day"] for row in await database.rows(statements.list_opened_days) if row["open_for"] > OPEN_DAY]
    in_force = retention["event_days"]
    idle = [row["version"] for row in versions if row["stage"] != COMPLETE and row["idle"] > IDLE_REBUILD]
    days = overdue["days"]
    return [
        *(f"{state}: {counted(hours, 'hour')}; make verify names them" for state, hours in failed.items() if hours),
        *([f"kept past their retention: {counted(days, 'day')}; make retention says why"] if days else []),
        *(
            f"the rebuild of version {version} has made no progress for an hour; make rebuild-projections continues it"
            for version in idle
        ),
        *(
            f"open for history for more than an hour: {day}; the next make import with HISTORY=1 closes it"
            for day in opened
        ),
        *_of_names([row["kind"] for row in refused if row["is_now"]]),
        *_of_archive(archive),
        *clock_warnings(retention),
        *(settings.unlike_retention(in_force, retention["rollup_days"], retention["log_days"]) if in_force else []),
    ]


def _of_names(kinds: Iterable[str]) -> list[str]:
    """Return which new names are refused now, one sentence or none. kinds: their fields."""
    named = ", ".join(sorted(set(kinds)))
    what = f"new names count as (other), because too many came in this hour or in all: {named}"
    return [f"{what}; HOURLEDGER_NEW_NAMES_AN_HOUR bounds those of an hour"] if named else []


def _of_archive(row: Row) -> list[str]:
    """Return what is wrong with the archive. Questions read what it lacks from the log."""
    why = []
    if row["failing_since"] is not None:
        since = f"{row['failing_since']:%Y-%m-%dT%H:%MZ}"
        why.append(f"the archive cannot be written since {since}: {row['why']}; questions read the log instead")
    if row["damaged_files"]:
        why.append(f"damaged: {counted(row['damaged_files'], 'file')} of the archive; make verify names them")
    if row["lost_files"]:
        what = f"{counted(row['lost_files'], 'damaged file')} of the archive held the only copy of its events"
        why.append(
            f"{what}: restore it from a backup, or run make undrop, which brings the rows back while they are there"
        )
    return why
