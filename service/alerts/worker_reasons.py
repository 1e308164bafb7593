"""What each worker finds wrong with itself, where all workers see it, because any of them may look at a rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from service.ingest.appender import Appender
from service.ingest.degraded import why_appends_suffer, why_disk_is_low
from sql.database import Database, Row

# A worker says it again at each look. What it no longer says, because it died, is forgotten after four.
REMEMBERED = timedelta(minutes=2)


class WorkerReasons:
    """The reasons of one worker, and those that the others told. database: writable."""

    def __init__(self, database: Database, appender: Appender) -> None:
        self._database = database
        self._appender = appender
        self._worker = uuid4()
        self._told = False

    async def tell(self, now: datetime) -> None:
        """Record what is wrong with this worker, or that nothing is any more; write nothing while nothing is.

        Raises sql.errors.DatabaseError.
        """
        statements = self._database.statements
        if events := why_appends_suffer(self._appender):
            disk = why_disk_is_low(self._appender.admission)
            self._told = True
            await self._database.rows(statements.tell_worker_reasons, self._worker, now, events, disk, REMEMBERED)
        elif self._told:
            await self._database.rows(statements.forget_worker_reasons, self._worker)
            self._told = False

    async def events(self, now: datetime) -> list[str]:
        """Return what is wrong with taking events in any worker, one sentence each. Raises sql.errors.DatabaseError."""
        return _united(why_appends_suffer(self._appender), "events", await self._others(now))

    async def disk(self, now: datetime) -> list[str]:
        """Return what is wrong with the disk, as any worker sees it. Raises sql.errors.DatabaseError."""
        return _united(why_disk_is_low(self._appender.admission), "disk", await self._others(now))

    async def _others(self, now: datetime) -> list[Row]:
        return await self._database.rows(self._database.statements.list_worker_reasons, self._worker, now, REMEMBERED)


def _united(own: list[str], kind: str, others: list[Row]) -> list[str]:
    return list(dict.fromkeys([*own, *(why for row in others for why in row[kind])]))
