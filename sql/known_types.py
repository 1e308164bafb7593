"""Connections that do not ask the server again about types that are the same on every server.

asyncpg has codecs for arrays of text alone. For any other array it asks each new connection's server, in three
statements, one of which reads all types. That takes longer than most of our queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, ClassVar

import asyncpg

# Types below this number come with PostgreSQL, and have the same number and meaning in every version.
FIRST_ASSIGNED = 10_000
# Stands for the statement that was not needed. Its name says that no unnamed statement was replaced by it.
NOT_ASKED = SimpleNamespace(name="not asked")


class Connection(asyncpg.Connection):
    """A connection whose process remembers what it has learnt about PostgreSQL's own types."""

    _known: ClassVar[dict[int, Any]] = {}

    async def _introspect_types(self, typeoids: Iterable[int], *more: Any) -> tuple[list[Any], Any]:
        """Return what is known about types, and the statement that told it."""
        wanted = set(typeoids)
        if wanted <= self._known.keys():
            return [self._known[oid] for oid in wanted], NOT_ASKED
        asking: Any = super()
        told: tuple[list[Any], Any] = await asking._introspect_types(typeoids, *more)  # noqa: SLF001
        self._known.update({row["oid"]: row for row in told[0] if row["oid"] < FIRST_ASSIGNED})
        return told
