"""Where the events of an answer came from: files of the archive, rows of the log, or both."""

from __future__ import annotations

from collections.abc import Iterable

ARCHIVE, EVENTS, BOTH = "archive", "events", "both"


def source_of_all(sources: Iterable[str]) -> str:
    """Return the source of an answer that was made from several."""
    (first, *others) = dict.fromkeys(sources)
    return BOTH if others else first
