"""Saved views: what the dashboard shows, under a name. A view is the part of its address from the question mark on."""

from __future__ import annotations

from typing import Any

import msgspec

from service.errors import Invalid, NotFound, TooMany
from service.questions.hours import time_text
from service.questions.parameters import SHOWN
from service.questions.segments import check_name
from sql.database import Database, Row

MOST_VIEWS = 1_000
LONGEST_SEARCH = 8_000


class SavedView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that saves a view. search: such as `?range=30d&event_type=signup`."""

    search: str


class SavedViews:
    """The saved views of a site. Reads them through `database`; saves and deletes them through `writable`.

    site: its number.
    """

    def __init__(self, database: Database, writable: Database, site: int = 0) -> None:
        self._database = database
        self._writable = writable
        self._site = site

    async def page(self) -> dict[str, Any]:
        """Return all views as an answer."""
        rows = await self._database.rows(self._database.statements.list_saved_views, self._site)
        return {"ok": True, "count": len(rows), "views": [_view(row) for row in rows]}

    async def save(self, name: str, saved: SavedView) -> dict[str, Any]:
        """Save a view. It replaces a view of the same name. Raises Invalid, and TooMany beyond MOST_VIEWS."""
        check_name(name, is_new=True)
        _check_search(saved.search)
        statement = self._writable.statements.save_view
        rows = await self._writable.rows(statement, self._site, name, saved.search, MOST_VIEWS)
        if not rows:
            raise TooMany(f"there are {MOST_VIEWS} saved views already; delete one first")
        return {"ok": True, "view": _view(rows[0])}

    async def delete(self, name: str) -> dict[str, Any]:
        """Delete a view. Raises Invalid and NotFound."""
        check_name(name)
        if not await self._writable.rows(self._writable.statements.delete_view, self._site, name):
            raise NotFound(f"there is no saved view {name[:SHOWN]!r}")
        return {"ok": True, "name": name}


def _check_search(search: str) -> None:
    if not search.startswith("?") or not search.isprintable():
        raise Invalid(f"search must be printable and begin with ?, not {search[:SHOWN]!r}", "search")
    if len(search) > LONGEST_SEARCH:
        raise Invalid(f"search must be at most {LONGEST_SEARCH} characters long, not {len(search)}", "search")


def _view(row: Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "search": row["search"],
        "created_at": time_text(row["created_at"]),
        "updated_at": time_text(row["updated_at"]),
    }
