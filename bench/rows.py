"""The results of a benchmark: samples taken in turns, and the table's rows made of them."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Step = Callable[[], Awaitable[float]]


class NotCounted(Exception):
    """A measurement does not count, because something failed during it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a measurement, and whether more of it is better. digits: decimals in the table."""

    name: str
    more_is_better: bool
    digits: int = 0


EVENTS_PER_SECOND = Unit("events/s", more_is_better=True)
REQUESTS_PER_SECOND = Unit("requests/s", more_is_better=True)
MILLISECONDS = Unit("ms", more_is_better=False, digits=1)
MEGABYTES = Unit("MB", more_is_better=False)


@dataclass(frozen=True, slots=True)
class Spread:
    """The samples of one measurement, in the order they were taken."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def low(self) -> float:
        return min(self.samples)

    @property
    def high(self) -> float:
        return max(self.samples)


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the median, or on the ratio to the peer: a lower bound when `at_least`, else an upper bound.

    reached: the ratio that the quick size reaches, when that is below the goal. or_most: a median that is small enough,
    whatever the ratio.
    """

    of: Literal["median", "ratio"]
    bound: float
    at_least: bool
    reached: float | None = None
    or_most: float | None = None

    def met_by(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


def least(bound: float) -> Goal:
    """Return the goal that the median is at least `bound`."""
    return Goal("median", bound, at_least=True)


def most(bound: float) -> Goal:
    """Return the goal that the median is at most `bound`."""
    return Goal("median", bound, at_least=False)


def least_ratio(bound: float, *, reached: float | None = None, or_most: float | None = None) -> Goal:
    """Return the goal that the median is at least `bound` times as good as the peer's, or at most `or_most`."""
    return Goal("ratio", bound, at_least=True, reached=reached, or_most=or_most)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `peer` was measured in turns with `what`, in the same unit.

    data: the data set, and its size when that differs from the table's foot.
    skipped: why it was not measured, or None. not_counted: why the measurement does not count, or None.
    """

    what: str
    unit: Unit
    measured: Spread | None = None
    peer: str = ""
    peer_measured: Spread | None = None
    goal: Goal | None = None
    skipped: str | None = None
    not_counted: str | None = None
    data: str = "web"

    @property
    def ratio(self) -> float | None:
        """Return how many times as good as the peer's the median is: above 1 is better, whatever the unit."""
        if self.measured is None or self.peer_measured is None:
            return None
        ratio = self.measured.median / self.peer_measured.median
        return ratio if self.unit.more_is_better else 1 / ratio

    @property
    def met(self) -> bool | None:
        """Return whether the goal was met; None without a goal or a measurement that counts."""
        if self.goal is None or self.measured is None or self.not_counted:
            return None
        if self.goal.or_most is not None and self.measured.median <= self.goal.or_most:
            return True
        value = self.ratio if self.goal.of == "ratio" else self.measured.median
        return None if value is None else self.goal.met_by(value)


def fallen(rows: Sequence[Row]) -> list[Row]:
    """Return the rows whose ratio is below half of its goal (or of `reached`), which is too low to be noise."""
    return [
        row
        for row in rows
        if row.goal and row.goal.of == "ratio" and row.ratio is not None
        and row.ratio < (row.goal.reached or row.goal.bound) / 2
    ]  # fmt: skip


def risen(first: Sequence[Row], again: Sequence[Row]) -> list[Row]:
    """Return the rows measured again, each replaced by the first measurement where only the second one has fallen."""
    if any(row.not_counted for row in again):
        return list(again)
    return [row if fallen([repeated]) else repeated for row, repeated in zip(first, again, strict=True)]


async def in_turns(runs: int, steps: Mapping[str, Step]) -> dict[str, Spread]:
    """Take `runs` samples of each step, in turns (A B A B ...), so that a disturbance affects all steps alike."""
    samples: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(runs):
        for name, step in steps.items():
            samples[name].append(await step())
    return {name: Spread(tuple(taken)) for name, taken in samples.items()}
