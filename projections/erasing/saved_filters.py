"""What people saved that names an id: segments, goals, and the filters of share links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from sql.database import Database

# What may be next to an id in a condition without being a part of it.
_WORD = r"[^\s\"'(),=<>!]"


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """Names of segments and goals, and prefixes of share links."""

    segments: Sequence[str] = ()
    share_links: Sequence[str] = ()
    goals: Sequence[str] = ()

    async def delete(self, database: Database, erasure: int) -> None:
        """Delete them from the site of an erasure, which counts them."""
        saved = list(self.segments), list(self.share_links), list(self.goals)
        await database.only(database.statements.delete_saved, erasure, *saved)


async def saved_filters(database: Database, site: int, ids: Sequence[str]) -> SavedFilters:
    """Return what is saved of a site that names one of some ids."""
    segments = await database.rows(database.statements.list_segments, site)
    goals = await database.rows(database.statements.list_goals, site)
    links = await database.rows(database.statements.list_share_links)
    return SavedFilters(
        [row["name"] for row in segments if _naming(row["filters"], ids)],
        [row["prefix"] for row in links if row["site"] == site and _naming(row["filters"], ids)],
        [row["name"] for row in goals if _naming(row["definition"], ids)],
    )


def _naming(filters: str, ids: Iterable[str]) -> bool:
    """Tell whether filters, as JSON, name one of some ids: as a value, or as a word of a condition."""
    values = msgspec.json.decode(filters, type=dict[str, str]).values()
    return any(_names(value, id_) for value in values for id_ in ids)


def _names(text: str, id_: str) -> bool:
    quoted = msgspec.json.encode(id_).decode()[1:-1]
    return any(re.search(rf"(?<!{_WORD}){re.escape(each)}(?!{_WORD})", text) for each in {id_, quoted})
