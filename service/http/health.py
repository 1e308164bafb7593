"""Health: whether the service can serve, and whether anything else is wrong."""

from __future__ import annotations

from datetime import timedelta

import structlog

from service.console import counted
from service.errors import NotReady
from service.http.answers import Answer, failure, json_answer
from service.http.deadline import in_time
from service.ingest.appender import Appender
from service.settings import Settings
from sql.database import Database, Row
from sql.errors import DatabaseError
from sql.hourly import COMPLETE, PROJECTION
from sql.migrate import newest_version
from sql.retention import clock_warnings

# Above this the projector is more than busy. Answers stay right, but take longer.
LAG_EVENTS = 100_000
# A rebuild takes seconds for an hour's events, so that an hour without progress means that it has stopped.
IDLE_REBUILD = timedelta(hours=1)
# An import of history has a day open for seconds, or minutes when it is large.
OPEN_DAY = timedelta(hours=1)

log = structlog.get_logger(__name__)


async def readiness(database: Database, appender: Appender, settings: Settings) -> Answer:
    """Answer `GET /health/ready`: 503 when the service cannot serve; `degraded` lists what else is wrong."""
    admission = appender.admission
    if appender.stuck and not admission.disk_full:  # asking the database would only wait for the deadline
        return failure(NotReady("events cannot be appended now"))
    try:
        version, checkpoints, why = await in_time(_ask(database, settings))
    except DatabaseError as error:
        log.warning("not ready", error=str(error))
        return failure(NotReady("the database cannot answer, or its schema is not this service's"))
    if unfit := _why_unfit(version, len(checkpoints), appender):
        return failure(NotReady(unfit))
    lag = sum(row["lag_events"] for row in checkpoints if row["live"])
    why += [f"shard {shard} takes no events now" for shard in appender.closed_shards]
    why += [
        f"{budget.name} were refused within the last minute, because others held all {budget.most} bytes for them"
        for budget in admission.budgets
        if budget.used_up
    ]
    why += admission.disk.why_degraded() if admission.disk else []
    if admission.disk_full:
        why.append("the disk of the database is full: events are refused until there is room")
    if lag > LAG_EVENTS:
        why.append(f"the projector is {lag} events behind")
    if why:
        return json_answer({"ok": True, "status": "degraded", "degraded": why, "lag_events": lag})
    return json_answer({"ok": True, "status": "ready", "lag_events": lag})


async def _ask(database: Database, settings: Settings) -> tuple[int, list[Row], list[str]]:
    schema = await database.only(database.statements.read_schema_version)
    checkpoints = await database.rows(database.statements.list_lags, PROJECTION, None)
    if schema["version"] != newest_version():
        return schema["version"], checkpoints, []
    return schema["version"], checkpoints, await _why_degraded(database, settings)


def _why_unfit(version: int, checkpoints: int, appender: Appender) -> str | None:
    if version != newest_version():
        return f"the database schema has version {version}, but this service needs version {newest_version()}"
    if not checkpoints:
        return "the database has no shards yet; run make migrate"
    return None if appender.available or appender.admission.disk_full else "events cannot be appended now"


async def _why_degraded(database: Database, settings: Settings) -> list[str]:
    statements = database.statements
    failed = await database.only(statements.count_failed_proofs)
    overdue = await database.only(statements.count_overdue_days)
    versions = await database.rows(statements.list_versions, PROJECTION, None)
    retention = await database.only(statements.read_retention)
    archive = await database.only(statements.read_archive_state)
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
        *_of_archive(archive),
        *clock_warnings(retention),
        *(settings.unlike_retention(in_force, retention["rollup_days"], retention["log_days"]) if in_force else []),
    ]


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
