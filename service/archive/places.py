"""Numbers by which the events of an actor are in order: by timestamp, then position, then shard.

Mostly the time alone is enough: when two events at the same time both may be a step of a run, the run is unsure, and
found again with exact places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from duckdb import Expression

from service.archive.json_text import constant
from service.archive.streams import column

_HUGEINT = "HUGEINT"
# Room for the shard, and for position and shard.
_SHARD, _POSITION = 1 << 24, 1 << 72


@dataclass(frozen=True, slots=True)
class Places:
    """How events are placed. exact: by position and shard too. start: a moment before all others."""

    exact: bool
    start: int

    def place(self, moment: Expression) -> Expression:
        """Return the place of an event at a moment."""
        if not self.exact:
            return moment
        position = column("position").cast(_HUGEINT) * constant(_SHARD)
        passed = (moment - constant(self.start)).cast(_HUGEINT)
        return passed * constant(_POSITION) + position + column("shard").cast(_HUGEINT)

    def moment(self, place: Expression) -> Expression:
        """Return the moment of a place."""
        return (place // constant(_POSITION)).cast("BIGINT") + constant(self.start) if self.exact else place

    def after(self, place: Expression) -> Callable[[Expression], Expression]:
        """Return whether another event's place may come after one."""
        return lambda other: other > place if self.exact else other >= place

    def unsure(self, place: Expression, following: Expression) -> Expression:
        """Return whether the order of two events is unknown."""
        return constant(False) if self.exact else place == following
