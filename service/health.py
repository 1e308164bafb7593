"""Can it serve, and is all well with what it serves."""

from __future__ import annotations

import structlog

from service.answers import Answer, failure, json_answer
from service.appender import Appender
from service.errors import unavailable
from sql.database import Database
from sql.errors import DatabaseError
from sql.migrate import newest_version

# Above this the projector is not just busy. Reads stay right, they only take longer.
LAG_EVENTS = 100_000

log = structlog.get_logger(__name__)


async def readiness(database: Database, appender: Appender) -> Answer:
    """Answer `GET /health/ready`: 503 when nothing can be served; `degraded` says why when something is wrong."""
    try:
        schema = await database.only(database.statements.read_schema_version)
        checkpoints = await database.rows(database.statements.list_checkpoints, "hourly")
        failed = await database.only(database.statements.count_failed_proofs)
    except DatabaseError as error:
        log.warning("not ready", error=str(error))
        return failure(unavailable("the database cannot answer, or its schema is not this service's"))
    if schema["version"] != newest_version():
        return failure(unavailable(f"the schema is at version {schema['version']}, this code's is {newest_version()}"))
    if not checkpoints:
        return failure(unavailable("the database has no shards yet; run make migrate"))
    if not appender.available:
        return failure(unavailable("events cannot be appended now"))
    lag = sum(row["lag_events"] for row in checkpoints if row["live"])
    why = [f"{hours} hours are {state}; make verify names them" for state, hours in failed.items() if hours]
    if lag > LAG_EVENTS:
        why.append(f"the projector is {lag} events behind")
    if why:
        return json_answer({"ok": True, "status": "degraded", "degraded": why, "lag_events": lag})
    return json_answer({"ok": True, "status": "ready", "lag_events": lag})
