"""Snapshots that one transaction lends to another; see queries/log/lend_snapshot.sql."""

from __future__ import annotations

import re

_NAME = re.compile(r"[0-9A-F]+(-[0-9A-F]+)+", re.ASCII)


def taking_over(snapshot: str) -> str:
    """Return the statement that takes over a lent snapshot. PostgreSQL takes no parameter there."""
    if not _NAME.fullmatch(snapshot):
        raise ValueError(f"{snapshot[:50]!r} is not the name of a snapshot")
    return f"set transaction snapshot '{snapshot}'"
