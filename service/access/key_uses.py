"""Notes when keys were last used: for each key at most once a minute, and never within a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from sql.database import Database
from sql.errors import DatabaseError

WRITE_SECONDS = 60.0

log = structlog.get_logger(__name__)


class KeyUses:
    """The last uses of keys in this process that the database has not been told yet."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._used: dict[str, datetime] = {}
        self._failing = False

    def note(self, prefix: str) -> None:
        """Note that a key is used now."""
        self._used[prefix] = self._clock()

    async def write(self) -> None:
        """Tell the database of the uses since the last time. While that fails, they wait.

        A fault of the service is logged once, until a write works again.
        """
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._database.rows(self._database.statements.note_key_uses, [*used], [*used.values()])
            self._failing = False
        except DatabaseError as error:
            log.warning("the last use of keys could not be written", error=str(error))
            self._used = used | self._used
        except Exception:
            if not self._failing:
                log.exception("the service failed to write the last use of keys")
            self._failing = True
            self._used = used | self._used

    async def follow(self) -> None:
        """Write again and again, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()
