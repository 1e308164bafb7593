"""What people saved that names an id: segments, goals, saved views, and the filters of share links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from sql.database import Database

# What may be next to an id in a condition without being a part of it.
_WORD = r"[^\s\"'(),=<>!]"


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """Names of segments, goals and saved views, and prefixes of share links."""

    segments: Sequence[str] = ()
    share_links: Sequence[str] = ()
    goals: Sequence[str] = ()
    views: Sequence[str] = ()

    async def delete(self, database: Database, erasure: int) -> None:
        """Delete them from the site of an erasure, which counts all but views."""
        saved = [list(names) for names in (self.segments, self.share_links, self.goals, self.views)]
        await database.only(database.statements.delete_saved, erasure, *saved)


async def saved_filters(database: Database, site: int, ids: Sequence[str]) -> SavedFilters:
    """Return what is saved of a site that names one of some ids."""
    segments = await database.rows(database.statements.list_segments, site)
    goals = await database.rows(database.statements.list_goals, site)
    views = await database.rows(database.statements.list_saved_views, site)
    links = await database.rows(database.statements.list_share_links)
    return SavedFilters(
        [row["name"] for row in segments if _naming(row["filters"], ids)],
        [row["prefix"] for row in links if row["site"] == site and _naming(row["filters"], ids)],
        [row["name"] for row in goals if _naming(row["definition"], ids)],
        [row["name"] for row in views if _naming_any((value for _, value in parse_qsl(row["search"][1:])), ids)],
    )


def _naming(filters: str, ids: Sequence[str]) -> bool:
    """Tell whether filters, as JSON, name one of some ids: as a value, or as a word of a condition."""
    return _naming_any(msgspec.json.decode(filters, type=dict[str, str]).values(), ids)


def _naming_any(values: Iterable[str], ids: Sequence[str]) -> bool:
    return any(_names(value, id_) for value in values for id_ in ids)


def _names(text: str, id_: str) -> bool:
    quoted = msgspec.json.encode(id_).decode()[1:-1]
    return any(re.search(rf"(?<!{_WORD}){re.escape(each)}(?!{_WORD})", text, re.IGNORECASE) for each in {id_, quoted})
