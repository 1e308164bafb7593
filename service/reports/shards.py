"""The shards of a site. They never change, so that a worker reads them only once."""

from __future__ import annotations

from service.errors import NotReady
from sql.database import Database


class Shards:
    """The shards of one site. A report that is given these can read nothing of another site (R12).

    site: its number. known: the shards, when the caller knows them.
    """

    def __init__(self, database: Database, site: int = 0, known: tuple[int, ...] = ()) -> None:
        self._database = database
        self._site = site
        self._known = [*known]

    async def numbers(self) -> list[int]:
        """Return the numbers of the shards, ascending. Raises NotReady before the first migration."""
        if not self._known:
            rows = await self._database.rows(self._database.statements.list_shards_of_site, self._site)
            self._known = [row["shard"] for row in rows]
        if not self._known:
            raise NotReady("the database has no shards yet; run make migrate")
        return self._known
