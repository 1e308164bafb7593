"""History: what an import does with rows that are older than the log takes, when it is asked to bring them in (R11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from service.console import counted
from sql.database import Database, Row


class Days(Protocol):
    """Opens and closes days of the log. Its methods raise NotImportable."""

    async def left(self) -> list[date]:
        """Return the days that an interrupted import left open."""

    async def open(self, day: date) -> str | None:
        """Open a day; return why it can take no history, None when it is open."""

    async def close(self, day: date) -> None:
        """Close a day that is open."""


@dataclass(frozen=True, slots=True)
class History:
    """How to bring in history. days: opens and closes days, one import at a time. tell: says a sentence to the user."""

    days: Callable[[], AbstractAsyncContextManager[Days]]
    tell: Callable[[str], None]


@dataclass(slots=True)
class _Sum:
    rows: int = 0
    days: int = 0
    until: datetime | None = None

    def add(self, rows: int, until: datetime) -> None:
        self.rows += rows
        self.days += 1
        self.until = max(until, self.until or until)

    def __str__(self) -> str:
        return f"{counted(self.rows, 'row')} of {counted(self.days, 'day')}"


async def forecast(database: Database, counts: Mapping[date, int]) -> list[str]:
    """Return what bringing in rows would leave, one sentence each; none without rows. counts: rows of each day."""
    if not counts:
        return []
    rows = await database.rows(database.statements.list_history_days, sorted(counts), None)
    return _told(rows, counts, datetime.now(UTC))


def _told(rows: list[Row], counts: Mapping[date, int], now: datetime) -> list[str]:
    raw, rollups, hidden = _Sum(), _Sum(), _Sum()
    gone = None
    refused: dict[str, _Sum] = {}
    for row in rows:
        if row["hindrance"] is not None:
            kind = refused.setdefault(row["hindrance"], _Sum())
        else:
            kind = raw if row["kept_until"] > now else rollups
        kind.add(counts[row["day"]], row["kept_until"])
        if kind is raw and row["gone_after"] is not None:
            gone = row["gone_after"]
            hidden.add(counts[row["day"]], row["kept_until"])
    total = f"{counted(sum(counts.values()), 'row')} of {counted(len(counts), 'day')}"
    told = [f"older than the log takes: {total}, {min(counts)} to {max(counts)}"]
    if raw.until:
        told.append(f"{raw} keep their raw events, until {raw.until:%Y-%m-%d} at most")
    if gone:
        told.append(
            f"{hidden} of these lie before {gone}, whose raw events are gone: only rollups show them,"
            " because answers about raw events begin after that day"
        )
    if rollups.until:
        told.append(f"{rollups} keep only rollups, because raw events of that time are no longer kept")
    return told + [f"{kind} cannot come in: {why}" for why, kind in refused.items()]
