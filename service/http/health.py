"""Health: whether the service can serve, and whether anything else is wrong."""

from __future__ import annotations

import structlog

from service.errors import NotReady
from service.http.answers import Answer, failure, json_answer
from service.http.deadline import in_time
from service.ingest.appender import Appender
from service.ingest.degraded import why_appends_suffer
from service.reports.degraded import lag_of, why_behind, why_degraded
from service.settings import Settings
from sql.database import Database, Row
from sql.errors import DatabaseError
from sql.hourly import PROJECTION
from sql.migrate import newest_version

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
    lag = lag_of(checkpoints)
    why += why_appends_suffer(appender)
    why += why_behind(lag)
    if why:
        return json_answer({"ok": True, "status": "degraded", "degraded": why, "lag_events": lag})
    return json_answer({"ok": True, "status": "ready", "lag_events": lag})


async def _ask(database: Database, settings: Settings) -> tuple[int, list[Row], list[str]]:
    schema = await database.only(database.statements.read_schema_version)
    checkpoints = await database.rows(database.statements.list_lags, PROJECTION, None)
    if schema["version"] != newest_version():
        return schema["version"], checkpoints, []
    return schema["version"], checkpoints, await why_degraded(database, settings)


def _why_unfit(version: int, checkpoints: int, appender: Appender) -> str | None:
    if version != newest_version():
        return f"the database schema has version {version}, but this service needs version {newest_version()}"
    if not checkpoints:
        return "the database has no shards yet; run make migrate"
    return None if appender.available or appender.admission.disk_full else "events cannot be appended now"
