"""The shards of the log. Their number never changes, so that a worker reads it only once."""

from __future__ import annotations

from service.errors import NotReady
from sql.database import Database


class Shards:
    """The shards of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: list[int] = []

    async def numbers(self) -> list[int]:
        """Return the numbers of the shards, ascending from 0. Raises NotReady before the first migration."""
        if not self._known:
            rows = await self._database.rows(self._database.statements.list_shards)
            self._known = [row["shard"] for row in rows]
        if not self._known:
            raise NotReady("the database has no shards yet; run make migrate")
        return self._known
