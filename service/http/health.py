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
    checkpoints = await database.rows(database.statements.list_lags, PROJECTION)
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
        *clock_warnings(retention),
        *(settings.unlike_retention(in_force, retention["rollup_days"]) if in_force else []),
    ]
