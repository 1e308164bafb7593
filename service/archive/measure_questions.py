"""Questions for what is measured in buckets of time: visits, and the numbers that a property has."""

from __future__ import annotations

from datetime import datetime

from service.archive.checks import columns_of_checks, names_of_checks
from service.archive.questions import Question, Range, columns_of_division, names_of_division
from service.questions.conditions import PROPERTIES, Path
from service.questions.divisions import OF_VISITS, Division


class InBuckets(Question, frozen=True, kw_only=True):
    """A question about each bucket: the nth is [bounds[n], bounds[n + 1]).

    divided_by, path: a Division whose keys have buckets of their own, or None. keys: those to name, the rest as
    (other); None for all.
    """

    bounds: list[datetime]
    divided_by: str | None = None
    path: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None

    @property
    def range(self) -> Range:
        """The first and the last bound."""
        return self.bounds[0], self.bounds[-1]

    @property
    def division(self) -> Division | None:
        """What divides the events."""
        return None if self.divided_by is None else Division(self.divided_by, self.path)

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return {"timestamp"} | columns_of_division(self.divided_by) | columns_of_checks(self.checks)

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        return names_of_checks(self.checks) | names_of_division(self.divided_by, self.path)


class Visits(InBuckets, frozen=True, tag=True, kw_only=True):
    """The visits with an event that passes, each with all its events of the range, in the bucket of the first of them.

    A visit is in the part of each key that one of its events has that pass.
    """

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return super().needs() | {"session", "event_type"}

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return nothing: events that fail the checks belong to visits, too."""
        return {}


class Numbers(InBuckets, frozen=True, tag=True, kw_only=True):
    """What the numbers of a property are. of: its path. with_quantiles: whether to find the median and p90."""

    of: tuple[str, ...]
    with_quantiles: bool = False

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return super().needs() | {PROPERTIES}

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return paths at which every event of the answer has one of some texts."""
        return {} if self.divided_by in OF_VISITS else super().texts()

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        return {self.of[0]} | names_of_checks(self.checks) | names_of_division(self.divided_by, self.path)


Measured = Visits | Numbers
