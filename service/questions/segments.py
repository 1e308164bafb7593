"""Saved segments: filters under a name. Every question that takes filters also takes a segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from service.errors import Invalid, InvalidParameter, NotFound, TooMany
from service.questions.conditions import Malformed
from service.questions.filters import NAMES, Filters, filters
from service.questions.hours import time_text
from service.questions.parameters import SHOWN, invalid
from sql.database import Database, Row

MOST_SEGMENTS = 1_000
LONGEST_NAME = 128
SAVED = NAMES - {"segment"}


class Saving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that saves a segment: filters with the names and texts of the query parameters."""

    filters: dict[str, str]


class Segments:
    """The segments of a site. Reads them through `database`; saves and deletes them through `writable`.

    site: its number.
    """

    def __init__(self, database: Database, writable: Database, site: int = 0) -> None:
        self._database = database
        self._writable = writable
        self._site = site

    async def filters(self, given: Mapping[str, str]) -> Filters:
        """Return the filters of the parameters, together with the filters of the segment that they name.

        Raises Invalid.
        """
        asked = filters(given)
        name = given.get("segment")
        if not name:
            return asked
        try:
            return _saved_filters(await self.texts(name)).and_also(asked)
        except Malformed as error:
            raise invalid("where", f"{error}, counting those of the segment") from error

    async def texts(self, name: str) -> dict[str, str]:
        """Return the names and texts of a segment's filters. Raises InvalidParameter for an unknown segment."""
        found = await self._database.rows(self._database.statements.read_segment, self._site, name)
        if not found:
            raise invalid("segment", f"must be the name of a saved segment, not {name[:SHOWN]!r}")
        return msgspec.json.decode(found[0]["filters"], type=dict[str, str])

    async def sent_filters(self, given: Mapping[str, str]) -> Filters:
        """Return the filters of a body. Raises Invalid with a field such as `filters.where`."""
        _check_names(given, NAMES)
        with _below_filters():
            return await self.filters(given)

    async def page(self) -> dict[str, Any]:
        """Return all segments as an answer."""
        rows = await self._database.rows(self._database.statements.list_segments, self._site)
        return {"ok": True, "count": len(rows), "segments": [_segment(row) for row in rows]}

    async def save(self, name: str, saving: Saving) -> dict[str, Any]:
        """Save a segment. It replaces a segment of the same name. Raises Invalid, and TooMany beyond MOST_SEGMENTS."""
        _check(name, saving.filters)
        rows = await self._writable.rows(
            self._writable.statements.save_segment,
            self._site,
            name,
            msgspec.json.encode(saving.filters).decode(),
            MOST_SEGMENTS,
        )
        if not rows:
            raise TooMany(f"there are {MOST_SEGMENTS} segments already; delete one first")
        return {"ok": True, "segment": _segment(rows[0])}

    async def delete(self, name: str) -> dict[str, Any]:
        """Delete a segment. Raises Invalid and NotFound."""
        check_name(name)
        rows = await self._writable.rows(self._writable.statements.delete_segment, self._site, name)
        if not rows:
            raise NotFound(f"there is no segment {name[:SHOWN]!r}")
        return {"ok": True, "name": name}


def check_name(name: str, *, is_new: bool = False) -> None:
    """Check the name of something that is saved. Raises InvalidParameter."""
    if not 1 <= len(name) <= LONGEST_NAME or "/" in name or not name.isprintable():
        raise invalid("name", f"must be 1 to {LONGEST_NAME} printable characters without /")
    if is_new and name in (".", ".."):
        raise invalid("name", "must not be . or .., because clients take these out of paths")


def _check(name: str, given: Mapping[str, str]) -> None:
    check_name(name, is_new=True)
    _check_names(given, SAVED)
    with _below_filters():
        asked = filters(given)
    if not asked:
        raise Invalid("filters must name at least one filter", "filters")


@contextmanager
def _below_filters() -> Iterator[None]:
    """Put `filters.` before the field of an error, because the filters of a body stand there."""
    try:
        yield
    except Invalid as error:
        error.field = f"filters.{error.field}"
        raise


def _check_names(given: Mapping[str, str], known: frozenset[str]) -> None:
    for unknown in sorted(given.keys() - known):
        raise Invalid(f"unknown filter; known filters are {', '.join(sorted(known))}", f"filters.{unknown[:SHOWN]}")
    if any("\0" in value for value in given.values()):
        raise Invalid("filters must not hold a NUL character", "filters")


def _saved_filters(texts: Mapping[str, str]) -> Filters:
    """Return the filters of a segment. Raises InvalidParameter when this version refuses what an older one saved."""
    try:
        return filters(texts)
    except InvalidParameter as error:
        raise invalid("segment", f"must be saved again, because its {error.message}") from error


def _segment(row: Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "filters": msgspec.json.decode(row["filters"]),
        "created_at": time_text(row["created_at"]),
        "updated_at": time_text(row["updated_at"]),
    }
