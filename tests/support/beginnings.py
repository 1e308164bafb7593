"""Logs of old days that many tests begin with, with their archives. Each is made once in a run; see `Beginning`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from tests.support import bi, busy_log
from tests.support.history import a_past
from tests.support.kept_hours import keep
from tests.support.quarantines import counted
from tests.support.retired_days import EVENTS, FIRST, append_all, fill, past, retire
from tests.support.servers import Beginning, migrated
from tests.support.sharded import Sharded, log_at


@cache
def filled(shards: int) -> Beginning:
    """Return a folded log of old days."""
    return _log("filled", shards, migrated(shards), lambda log, _: fill(log, EVENTS))


@cache
def without_flood(shards: int) -> Beginning:
    """Return a folded log to which the events of a quarantine never came."""
    return _log("without_flood", shards, migrated(shards), lambda log, _: fill(log, counted(EVENTS)))


@cache
def closed(shards: int) -> Beginning:
    """Return a folded log whose days 0 to 3 are before the horizon."""

    async def make(log: Sharded, archive: Path) -> None:
        await a_past(log, archive)

    return _log("closed", shards, filled(shards), make)


@cache
def kept(shards: int, number: int, begins: Callable[[int], Beginning] = filled) -> Beginning:
    """Return a log whose days up to this one only the archive keeps; the others are in both."""
    name = f"kept_{number}_{begins.__name__}"
    return _log(name, shards, begins(shards), lambda log, archive: keep(log, archive, number))


@cache
def retired(shards: int, number: int, grace_days: int) -> Beginning:
    """Return a log whose days up to this one are sealed and have left the log."""

    async def make(log: Sharded, _: Path) -> None:
        found = await retire(log.database, number, grace_days=grace_days)
        assert [each.hindrance for each in found] == [None] * (number + 1)

    return _log(f"retired_{number}_{grace_days}", shards, filled(shards), make)


@cache
def aged(shards: int) -> Beginning:
    """Return a log with its first two days retired and an unfolded tail of late events, for the views of schema bi."""

    async def make(log: Sharded, _: Path) -> None:
        await fill(log, bi.OLD)
        assert [each.events for each in await retire(log.database, 1)] != []
        await append_all(log, bi.LATE, clock=past(1))

    return _log("aged", shards, migrated(shards), make)


@cache
def busy(*, analyzed: bool) -> Beginning:
    """Return a log of three busy days with an unfolded tail, before the tables are analyzed or after."""

    async def make(log: Sharded, _: Path) -> None:
        await busy_log.fill(log.database, log.admin, analyzed=analyzed)
        # The server analyzes tables by itself, but not while it has counted no changes.
        await log.admin.execute("select pg_stat_reset()")

    return _log(f"busy_{analyzed}", 1, migrated(1), make)


def _log(name: str, shards: int, after: Beginning, make: Callable[[Sharded, Path], Awaitable[None]]) -> Beginning:
    async def make_at(url: str, archive: Path) -> None:
        async with log_at(url, shards) as log:
            await make(log, archive)

    # A run that goes on past midnight has other old days.
    return Beginning(f"{name}_{shards}_{FIRST:%Y%m%d}", make_at, after)
