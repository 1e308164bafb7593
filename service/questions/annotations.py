"""Annotations: what happened, in the words of people, to be shown on charts."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated, Any

import msgspec

from service.errors import NotFound, TooMany
from service.questions.buckets import zone
from service.questions.hours import time_text
from service.questions.parameters import SHOWN, invalid
from sql.database import Database, Row

MOST_ANNOTATIONS = 10_000
# Years that every answer can tell.
FIRST_YEAR, LAST_YEAR = 1970, 9998


class Annotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that adds an annotation. at: a day, which begins at midnight of the site's time zone, or a time."""

    at: str
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Annotations:
    """The annotations of a site. Reads them through `database`; adds and deletes them through `writable`.

    site: its number. time_zone: that of its days.
    """

    def __init__(self, database: Database, writable: Database, site: int, time_zone: str) -> None:
        self._database = database
        self._writable = writable
        self._site = site
        self._time_zone = time_zone

    async def page(self, since: datetime, until: datetime) -> dict[str, Any]:
        """Return the annotations of a range, oldest first."""
        rows = await self._database.rows(self._database.statements.list_annotations, self._site, since, until)
        return {"ok": True, "count": len(rows), "annotations": [self._annotation(row) for row in rows]}

    async def add(self, sent: Annotation) -> dict[str, Any]:
        """Add an annotation. Raises Invalid, and TooMany beyond MOST_ANNOTATIONS."""
        if not sent.text.strip() or "\0" in sent.text:
            raise invalid("text", "must say something, without NUL characters")
        rows = await self._writable.rows(
            self._writable.statements.add_annotation, self._site, self._moment(sent.at), sent.text, MOST_ANNOTATIONS
        )
        if not rows:
            raise TooMany(f"there are {MOST_ANNOTATIONS} annotations already; delete one first")
        return {"ok": True, "annotation": self._annotation(rows[0])}

    def _moment(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise invalid("at", f"must be a day such as 2026-12-01, or a time, not {text[:SHOWN]!r}") from error
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise invalid("at", f"must be in the years {FIRST_YEAR} to {LAST_YEAR}, not {text[:SHOWN]!r}")
        return moment if moment.tzinfo else moment.replace(tzinfo=zone(self._time_zone))

    async def delete(self, number: str) -> dict[str, Any]:
        """Delete an annotation by its number. Raises Invalid and NotFound."""
        if not (number.isascii() and number.isdecimal() and len(number) <= 18):
            raise invalid("id", f"must be the id of an annotation, a whole number, not {number[:SHOWN]!r}")
        rows = await self._writable.rows(self._writable.statements.delete_annotation, self._site, int(number))
        if not rows:
            raise NotFound(f"there is no annotation {number}")
        return {"ok": True, "id": int(number)}

    def _annotation(self, row: Row) -> dict[str, Any]:
        return {
            "id": row["annotation"],
            "at": time_text(row["at"]),
            "day": day_of(row["at"], self._time_zone),
            "text": row["text"],
            "created_at": time_text(row["created_at"]),
        }


def day_of(moment: datetime, time_zone: str) -> str | None:
    """Return the day that begins at this time in a time zone, if one does."""
    local = zone(time_zone)
    day = moment.astimezone(local).date()
    # Compared in UTC: where clocks go forward at midnight, a day begins at one o'clock.
    begins = datetime.combine(day, time(), local).astimezone(UTC)
    return day.isoformat() if begins == moment else None
